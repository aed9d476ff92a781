"""A controlling station by c104: reads everything, switches a breaker, sets a clock; says what it saw."""
import json
import sys
import time

import c104

host, port = sys.argv[1], int(sys.argv[2])
client = c104.Client(tick_rate_ms=100, command_timeout_ms=5000)
connection = client.add_connection(ip=host, port=port, init=c104.Init.NONE)
station = connection.add_station(common_address=1)
breaker = station.add_point(io_address=1, type=c104.Type.M_DP_TB_1)
current = station.add_point(io_address=201, type=c104.Type.M_ME_NC_1)
counter = station.add_point(io_address=401, type=c104.Type.M_IT_NA_1)
switch = station.add_point(io_address=1001, type=c104.Type.C_DC_NA_1)
switch.command_mode = c104.CommandMode.SELECT_AND_EXECUTE
single = station.add_point(io_address=1152, type=c104.Type.C_SC_NA_1)
unknown = station.add_point(io_address=5000, type=c104.Type.C_SC_NA_1)
seen = {}


def told(point: c104.Point, previous_info: c104.Information, message: c104.IncomingMessage) -> c104.ResponseState:
    seen.setdefault(str(point.io_address), []).append([message.cot.name, str(point.value)])
    return c104.ResponseState.SUCCESS


for point in (breaker, current, counter):
    point.on_receive(callable=told)

client.start()
end = time.time() + 10
while not connection.is_connected and time.time() < end:
    time.sleep(0.1)
time.sleep(1)
connection.unmute()
time.sleep(0.5)
out = {"connected": connection.is_connected}
out["interrogation"] = connection.interrogation(common_address=1)
out["counters"] = connection.counter_interrogation(common_address=1)
out["clock"] = connection.clock_sync(common_address=1)
out["read"] = current.read()
switch.value = c104.Double.OFF
out["open"] = switch.transmit(cause=c104.Cot.ACTIVATION)
time.sleep(2)
out["breaker"] = str(breaker.value)
single.value = False
out["single"] = single.transmit(cause=c104.Cot.ACTIVATION)
unknown.value = True
out["unknown"] = unknown.transmit(cause=c104.Cot.ACTIVATION)
switch.command_mode = c104.CommandMode.DIRECT
switch.value = c104.Double.ON
out["without_select"] = switch.transmit(cause=c104.Cot.ACTIVATION)
time.sleep(1)
out["current"] = current.value
out["seen"] = seen
client.stop()
print(json.dumps(out))
