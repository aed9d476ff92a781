"""A GOOSE publisher by libiec61850 on an interface: three states of three messages each, every type of value."""
import sys
import time

import pyiec61850.pyiec61850 as iec

params = iec.CommParameters()
params.appId = 0x1000
params.vlanId = 7
params.vlanPriority = 4
iec.CommParameters_setDstAddress(params, 0x01, 0x0C, 0xCD, 0x01, 0x00, 0x01)
publisher = iec.GoosePublisher_create(params, sys.argv[1])
iec.GoosePublisher_setGoCbRef(publisher, "IED1/LLN0$GO$gcb1")
iec.GoosePublisher_setDataSetRef(publisher, "IED1/LLN0$ds1")
iec.GoosePublisher_setGoID(publisher, "IED1_TRIP")
iec.GoosePublisher_setConfRev(publisher, 2)
iec.GoosePublisher_setTimeAllowedToLive(publisher, 500)
for state in range(3):
    values = iec.LinkedList_create()
    iec.LinkedList_add(values, iec.MmsValue_newBoolean(state == 1))
    iec.LinkedList_add(values, iec.MmsValue_newIntegerFromInt32((state - 1) * 70000))
    iec.LinkedList_add(values, iec.MmsValue_newUnsignedFromUint32(state * 2000000000))
    iec.LinkedList_add(values, iec.MmsValue_newFloat(1.5 * state))
    iec.LinkedList_add(values, iec.MmsValue_newVisibleString("state %d" % state))
    for _ in range(3):
        iec.GoosePublisher_publish(publisher, values)
        time.sleep(0.05)
    iec.GoosePublisher_increaseStNum(publisher)
print("done")
