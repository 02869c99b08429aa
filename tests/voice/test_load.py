"""How much of a processor fifty calls at once take: docs/benchmarks.md has the figure of the day."""

import json
import os
import subprocess
import time

from conftest import TARGET, telephones

CALLS = 50


def test_fifty_calls_at_once_take_less_than_a_core(place, scenario):
    trunk = place(telephones.Sipp, scenario("answers"), calls=CALLS)
    begun = time.monotonic()
    process = subprocess.Popen([str(TARGET / "examples" / "call"), "--port", str(trunk.port), "--calls", str(CALLS)],
                               stdout=subprocess.PIPE, text=True)
    told = [json.loads(line) for line in process.stdout]
    process.stdout.close()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    took, busy = time.monotonic() - begun, used.ru_utime + used.ru_stime
    print(f"{CALLS} calls: {busy:.2f} s of a processor in {took:.1f} s, {busy / took:.3f} of a core")
    assert process.returncode == 0
    assert told.count({"handed_over": True}) == told.count({"receipt": "delivered"}) == CALLS
    assert busy / took < 1, (busy, took)
    assert trunk.played_to_the_end(), trunk.messages()[-3000:]
