"""dnp3py as outstation for our master: what was asked of it, at the end, as JSON.

usage: outstation_dnp3py.py HOST PORT SECONDS
"""
import asyncio
import json
import sys

from dnp3.core.enums import ControlCode
from dnp3.database import Database
from dnp3.outstation import (CommandResult, DefaultCommandHandler, Outstation, OutstationConfig,
                             OutstationTcpRunner)

HOST, PORT, SECONDS = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
seen = {"requests": {}, "selected": [], "operated": [], "direct": []}


class Commands(DefaultCommandHandler):
    def select_binary_output(self, index, code, count, on_time, off_time):
        seen["selected"].append([index, int(code)])
        return CommandResult.success()

    def operate_binary_output(self, index, code, count, on_time, off_time, select_sequence):
        seen["operated"].append([index, int(code)])
        database.update_binary_input(0, int(code) in (int(ControlCode.LATCH_ON), 0x41))
        return CommandResult.success()

    def direct_operate_binary_output(self, index, code, count, on_time, off_time):
        seen["direct"].append([index, int(code)])
        database.update_binary_input(0, int(code) in (int(ControlCode.LATCH_ON), 0x41))
        return CommandResult.success()


database = Database()
for index in range(3):
    database.add_binary_input(index, value=True)
    database.add_analog_input(index, value=100.0 + index)
    database.add_counter(index, value=7)
database.add_binary_output(0)
outstation = Outstation(config=OutstationConfig(address=11, master_address=1), database=database, handler=Commands())
process = outstation.process_request


def counted(data, **more):
    name = str(data[1])
    seen["requests"][name] = seen["requests"].get(name, 0) + 1
    return process(data, **more)


outstation.process_request = counted


async def main():
    runner = OutstationTcpRunner(outstation=outstation, host=HOST, port=PORT)
    task = asyncio.create_task(runner.run())
    print("listening", flush=True)
    await asyncio.sleep(SECONDS)
    seen["restart"] = bool(int(outstation.iin) & 0x80)
    seen["need_time"] = bool(int(outstation.iin) & 0x10)
    seen["events_left"] = database.event_buffer.total_count
    await runner.stop()
    task.cancel()
    print(json.dumps(seen), flush=True)


try:
    asyncio.run(main())
except asyncio.CancelledError:
    pass
