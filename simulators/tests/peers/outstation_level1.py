"""dnp3-outstation, a Level 1 outstation by others, for our master: answers polls until it is ended.

usage: outstation_level1.py HOST PORT SECONDS
"""
import asyncio
import json
import sys

from dnp3_outstation.async_outstation import AsyncOutstation

HOST, PORT, SECONDS = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
answered = 0


async def main():
    global answered
    out = AsyncOutstation(host=HOST, port=PORT, master_addr=1, outstation_addr=11)
    for index in range(4):
        out.set_analog(index, 10.0 * index)
    handle = out._outstation.handle_inbound

    def counted(wire):
        global answered
        reply = handle(wire)
        answered += reply is not None
        return reply

    out._outstation.handle_inbound = counted
    await out.start()
    print("listening", flush=True)
    await asyncio.sleep(SECONDS)
    print(json.dumps({"answered": answered}), flush=True)


asyncio.run(main())
