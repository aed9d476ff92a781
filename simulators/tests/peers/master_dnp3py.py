"""dnp3py as master: everything our outstation promises, against the process behind it.

usage: master_dnp3py.py HOST PORT OUTSTATION
"""
import asyncio
import sys
import time

from dnp3.application.builder import (build_cold_restart_request, build_range_request, build_write_request)
from dnp3.application.fragment import ObjectBlock, RequestFragment
from dnp3.application.header import RequestHeader
from dnp3.application.qualifiers import ObjectHeader
from dnp3.core.enums import ControlCode, FunctionCode
from dnp3.core.flags import IIN
from dnp3.master import (CommandBuilder, DefaultSOEHandler, LinkError, Master, MasterConfig, MasterRunnerError,
                         MasterTcpRunner)
from dnp3.transport_io.channel import ChannelError

HOST, PORT, OUTSTATION = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
handler = DefaultSOEHandler()
master = Master(config=MasterConfig(address=1, outstation_address=OUTSTATION), handler=handler)


def runner():
    return MasterTcpRunner(master=master, host=HOST, port=PORT, response_timeout=3)


def write(group, variation, data, qualifier=0x07):
    header = ObjectHeader(group=group, variation=variation, qualifier=qualifier)
    return build_write_request((ObjectBlock(header=header, data=data),), seq=master.next_request_sequence())


def plain(function):
    return RequestFragment(header=RequestHeader.build(function=function, seq=master.next_request_sequence()))


def indications(answers):
    for answer in answers:
        assert answer.truncation is None, answer
    return answers[-1].iin


async def closed(link):
    """State of the breaker, from its binary input."""
    await asyncio.sleep(0.5)
    await link.integrity_poll()
    return handler.get_binary_input(0).value


async def main():
    link = runner()
    await link.open()  # with a reset of the link
    # Just switched on: it tells of its restart and asks for the time.
    iin = indications(await link.integrity_poll())
    assert iin & IIN.DEVICE_RESTART and iin & IIN.NEED_TIME, iin
    assert handler.binary_inputs and handler.analog_inputs and handler.counters, "static data of three kinds"
    assert handler.get_binary_input(0).value is True, "the breaker is closed"
    assert handler.get_analog_input(1).value > 0, "and power flows"
    iin = indications(await link.request(write(80, 1, bytes([7, 7, 0]), 0x00)))
    assert not iin & IIN.DEVICE_RESTART, iin
    print("integrity poll, restart indication cleared")

    now = int(time.time() * 1000).to_bytes(6, "little")
    await link.request(plain(FunctionCode.RECORD_CURRENT_TIME))
    iin = indications(await link.request(write(50, 3, bytes([1]) + now)))
    assert not iin & (IIN.NEED_TIME | IIN.PARAMETER_ERROR), iin
    await link.request(master.build_delay_measure())
    iin = indications(await link.request(write(50, 1, bytes([1]) + now)))
    assert not iin & (IIN.NEED_TIME | IIN.PARAMETER_ERROR), iin
    # Without the time being recorded first, group 50 variation 3 means nothing.
    iin = indications(await link.request(write(50, 3, bytes([1]) + now)))
    assert iin & IIN.PARAMETER_ERROR, iin
    print("time set both ways")

    await link.request(master.build_direct_operate(CommandBuilder().latch_off(0).build_direct_operate()))
    assert await closed(link) is False, "direct operate opens"
    assert abs(handler.get_analog_input(1).value) < 1, "no power flows"
    print("direct operate")

    await link.request(master.build_select(CommandBuilder().latch_on(0).build_select()))
    await link.request(master.build_operate(CommandBuilder().latch_on(0).build_operate()))
    assert await closed(link) is True, "select and operate closes"
    # Operate without select, with another object, and too late: nothing happens.
    await link.request(master.build_operate(CommandBuilder().latch_off(0).build_operate()))
    assert await closed(link) is True, "no select, no operate"
    await link.request(master.build_select(CommandBuilder().latch_off(1).build_select()))
    await link.request(master.build_operate(CommandBuilder().latch_off(0).build_operate()))
    assert await closed(link) is True, "another point was selected"
    await link.request(master.build_select(CommandBuilder().latch_off(0).build_select()))
    await asyncio.sleep(2.5)
    await link.request(master.build_operate(CommandBuilder().latch_off(0).build_operate()))
    assert await closed(link) is True, "the selection had timed out"
    await link.request(master.build_select(CommandBuilder().add_crob(0, ControlCode.LATCH_OFF).build_select()))
    await link.request(master.build_operate(CommandBuilder().add_crob(0, ControlCode.LATCH_OFF).build_operate()))
    await asyncio.sleep(0.5)
    print("select before operate, and what does not pass for it")

    # The change is an event of class 1, told once: what is confirmed does not come again.
    handler.clear()
    answers = await link.class_poll(class_1=True, class_2=False, class_3=False)
    assert answers[-1].con, "events ask for a confirmation"
    assert handler.get_binary_input(0).value is False and handler.get_binary_input(0).timestamp, "with its time"
    handler.clear()
    await link.class_poll(class_1=True, class_2=False, class_3=False)
    assert not handler.binary_inputs, "confirmed"
    print("class events")

    await link.enable_unsolicited()
    handler.clear()
    await link.request(master.build_direct_operate(CommandBuilder().latch_on(0).build_direct_operate()))
    for _ in range(5):
        told = await link.listen_unsolicited(timeout=3)
        if told and handler.get_binary_input(0):
            break
    assert told and told.is_unsolicited and told.con, told
    assert handler.get_binary_input(0).value is True, "the breaker closed"
    await link.disable_unsolicited()
    print("unsolicited responses")

    unknown = await link.request(build_range_request(FunctionCode.READ, 111, 0, 0, 3, seq=master.next_request_sequence()))
    assert indications(unknown) & IIN.OBJECT_UNKNOWN, unknown
    answers = await link.request(plain(FunctionCode.INITIALIZE_DATA))
    assert indications(answers) & IIN.NO_FUNC_CODE_SUPPORT, answers
    print("what it does not know")

    await link.request(build_cold_restart_request(seq=master.next_request_sequence()))
    try:
        while await link.listen_unsolicited(timeout=1) is not None:
            pass
        raise AssertionError("it goes on talking after a restart")
    except (LinkError, MasterRunnerError):
        await link.close()
    for _ in range(40):
        await asyncio.sleep(0.25)
        link = runner()
        try:
            await link.open()
            iin = indications(await link.integrity_poll())
            break
        except (LinkError, MasterRunnerError, ChannelError):
            await link.close()
    else:
        raise AssertionError("it does not come back")
    assert iin & IIN.DEVICE_RESTART and iin & IIN.NEED_TIME, iin
    await link.close()
    print("restart")


asyncio.run(asyncio.wait_for(main(), 60))
