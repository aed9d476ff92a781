"""dnp3py as outstation for our master: what was asked of it, at the end, as JSON.

The first change waits to be polled; the second is sent unsolicited. After a restart it says so and asks for the time.

usage: outstation_dnp3py.py HOST PORT SECONDS
"""
import asyncio
import json
import sys

from dnp3.core.enums import ControlCode
from dnp3.core.flags import IIN
from dnp3.database import Database
from dnp3.datalink.builder import build_unconfirmed_user_data
from dnp3.outstation import (CommandResult, DefaultCommandHandler, Outstation, OutstationConfig,
                             OutstationTcpRunner)
from dnp3.transport.segmenter import Segmenter

HOST, PORT, SECONDS = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
seen = {"requests": {}, "selected": [], "operated": [], "direct": [], "events": 0, "unsolicited": 0, "restarts": 0}


def change(value):
    before = database.event_buffer.total_count
    database.update_binary_input(0, value)
    seen["events"] += database.event_buffer.total_count - before


def restarted():
    outstation._state.iin |= IIN.DEVICE_RESTART
    outstation._state.set_need_time()


class Commands(DefaultCommandHandler):
    def select_binary_output(self, index, code, count, on_time, off_time):
        seen["selected"].append([index, int(code)])
        return CommandResult.success()

    def operate_binary_output(self, index, code, count, on_time, off_time, select_sequence):
        seen["operated"].append([index, int(code)])
        change(int(code) in (int(ControlCode.LATCH_ON), 0x41))
        return CommandResult.success()

    def direct_operate_binary_output(self, index, code, count, on_time, off_time):
        seen["direct"].append([index, int(code)])
        change(int(code) in (int(ControlCode.LATCH_ON), 0x41))
        return CommandResult.success()

    def cold_restart(self):
        seen["restarts"] += 1
        asyncio.get_running_loop().call_later(0.1, restarted)
        return 100


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


class Runner(OutstationTcpRunner):
    """The runner of dnp3py never asks its outstation for unsolicited responses."""

    async def _handle_connection(self, channel):
        task = asyncio.create_task(unsolicited(channel))
        try:
            await super()._handle_connection(channel)
        finally:
            task.cancel()


async def unsolicited(channel):
    segmenter = Segmenter()
    while True:
        await asyncio.sleep(0.02)
        told = outstation.generate_unsolicited() if seen["events"] > 1 else None
        for segment in segmenter.segment(told.to_bytes()) if told else []:
            seen["unsolicited"] += 1
            frame = build_unconfirmed_user_data(destination=1, source=11, dir_from_master=False, user_data=segment.to_bytes())
            await channel.write_all(frame.to_bytes())


async def main():
    runner = Runner(outstation=outstation, host=HOST, port=PORT)
    task = asyncio.create_task(runner.run())
    print("listening", flush=True)
    await asyncio.sleep(SECONDS)
    seen["restart"] = bool(int(outstation.iin) & 0x80)
    seen["need_time"] = bool(int(outstation.iin) & 0x10)
    seen["unconfirmed"] = outstation._state.unsolicited.pending_confirm
    seen["events_left"] = database.event_buffer.total_count
    await runner.stop()
    task.cancel()
    print(json.dumps(seen), flush=True)


try:
    asyncio.run(main())
except asyncio.CancelledError:
    pass
