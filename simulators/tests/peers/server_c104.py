"""A controlled station by c104: points that move, a breaker that can be switched; says what it was asked."""
import datetime
import json
import sys
import time

import c104

host, port, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
server = c104.Server(ip=host, port=port, tick_rate_ms=100, max_connections=4)
station = server.add_station(common_address=1)
breaker = station.add_point(io_address=1, type=c104.Type.M_DP_TB_1)
breaker.value = c104.Double.ON
current = station.add_point(io_address=201, type=c104.Type.M_ME_NC_1, report_ms=1000)
current.value = 12.5
counter = station.add_point(io_address=401, type=c104.Type.M_IT_NA_1)
switch = station.add_point(io_address=1001, type=c104.Type.C_DC_NA_1, related_io_address=1, related_io_autoreturn=True,
                           command_mode=c104.CommandMode.SELECT_AND_EXECUTE)
asked = []


def received(point: c104.Point, previous_info: c104.Information, message: c104.IncomingMessage) -> c104.ResponseState:
    asked.append([point.io_address, message.cot.name, message.is_select_command, str(point.value)])
    return c104.ResponseState.SUCCESS


def clock(server: c104.Server, ip: str, date_time: datetime.datetime) -> c104.ResponseState:
    asked.append(["clock", ip])
    return c104.ResponseState.SUCCESS


def raw(server: c104.Server, data: bytes) -> None:
    # Type and cause of every ASDU.
    if len(data) > 8 and data[2] & 1 == 0:
        asked.append(["type", data[6], data[8] & 0x3f])


switch.on_receive(callable=received)
server.on_clock_sync(callable=clock)
server.on_receive_raw(callable=raw)
server.start()
print("ready", flush=True)
time.sleep(seconds)
server.stop()
print(json.dumps(asked))
