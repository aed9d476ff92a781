"""pymodbus as server for our master: what was asked of it, at the end, as JSON.

usage: server_pymodbus.py HOST PORT SECONDS
"""
import asyncio
import json
import sys

from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.pdu.device import ModbusDeviceIdentification
from pymodbus.server import ModbusTcpServer

HOST, PORT, SECONDS = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
seen = {"requests": {}, "refused": 0, "writes": []}


def pdu(sending, pdu):
    if not sending:
        name = str(pdu.function_code)
        seen["requests"][name] = seen["requests"].get(name, 0) + 1
        if pdu.function_code in (5, 6):
            seen["writes"].append([pdu.function_code, pdu.address, *pdu.bits, *pdu.registers])
    elif pdu.isError():
        seen["refused"] += 1
    return pdu


def block():
    return ModbusSequentialDataBlock(1, [1] * 100)


async def main():
    device = ModbusDeviceContext(di=block(), co=block(), hr=block(), ir=block())
    identity = ModbusDeviceIdentification(info_name={"VendorName": "Others", "ProductCode": "X", "MajorMinorRevision": "1"})
    server = ModbusTcpServer(ModbusServerContext(devices={1: device}, single=False), identity=identity,
                             address=(HOST, PORT), trace_pdu=pdu)
    await server.serve_forever(background=True)
    print("listening", flush=True)
    await asyncio.sleep(SECONDS)
    await server.shutdown()
    print(json.dumps(seen), flush=True)


asyncio.run(main())
