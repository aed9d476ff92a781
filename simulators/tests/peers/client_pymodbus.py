"""pymodbus as client: everything our Modbus stations promise, against the process behind it.

usage: client_pymodbus.py RTU METER PORT
"""
import struct
import sys
import time

from pymodbus.client import ModbusTcpClient

RTU, METER, PORT = sys.argv[1], sys.argv[2], int(sys.argv[3])


def connected(host):
    client = ModbusTcpClient(host, port=PORT, timeout=3)
    assert client.connect(), host
    return client


meter = connected(METER)
words = meter.read_input_registers(0, count=12, device_id=1).registers
volts, ampere, kw = struct.unpack(">fff", struct.pack(">6H", *words[:6]))
assert 18_000 < volts < 22_000 and ampere > 0 and abs(kw) > 0, (volts, ampere, kw)
assert meter.read_input_registers(0, count=13, device_id=1).exception_code == 2, "beyond the map"
assert meter.read_coils(0, count=1, device_id=1).exception_code == 2, "it has none"
assert meter.read_input_registers(0, count=12, device_id=9).exception_code == 11, "nobody there"
identity = meter.read_device_information(read_code=1, object_id=0, device_id=1)
assert identity.information[0] == b"Gridtap Simulators" and identity.information[1] == b"METER", identity
print("meter: registers, exceptions, identification")

rtu = connected(RTU)
assert rtu.read_discrete_inputs(0, count=1, device_id=1).bits[0] is True
before = rtu.read_input_registers(0, count=3, device_id=1).registers
assert rtu.write_coil(0, False, device_id=1).bits[0] is False
time.sleep(0.5)
assert rtu.read_discrete_inputs(0, count=1, device_id=1).bits[0] is False, "the breaker opened"
assert rtu.read_coils(0, count=1, device_id=1).bits[0] is False
after = rtu.read_input_registers(0, count=3, device_id=1).registers
assert before[1] > 0 and after[1] == 0, ("current", before, after)
rtu.write_coil(0, True, device_id=1)
assert rtu.write_register(3, 1234, device_id=1).registers == [1234]
rtu.write_registers(4, [5, 6, 7], device_id=1)
assert rtu.read_holding_registers(3, count=4, device_id=1).registers == [1234, 5, 6, 7]
assert rtu.write_register(99, 1, device_id=1).exception_code == 2
assert rtu.write_coil(7, True, device_id=1).exception_code == 2
time.sleep(0.5)
assert rtu.read_discrete_inputs(0, count=1, device_id=1).bits[0] is True, "the breaker closed"
assert rtu.diag_query_data(b"\x12\x34", device_id=1).message == b"\x12\x34"
print("RTU: coils that switch, registers, diagnostics")
