"""What the system says of this process, against what it says elsewhere."""

import os
import resource
import time

from hubbub.admin.process import this_process


def test_this_process() -> None:
    seen = this_process()
    used = resource.getrusage(resource.RUSAGE_SELF)
    assert abs(seen.cpu_s - used.ru_utime - used.ru_stime) < 0.1
    assert 1 << 20 < seen.resident_bytes <= seen.virtual_bytes
    assert seen.resident_bytes <= (used.ru_maxrss + 4096) * 1024
    assert 0 < time.time() - seen.started_s < 86_400
    assert seen.threads >= 1
    assert seen.descriptor_limit >= seen.descriptors > 2


def test_descriptors_are_counted() -> None:
    before = this_process().descriptors
    opened = [os.open("/dev/null", os.O_RDONLY) for _ in range(7)]
    try:
        assert this_process().descriptors == before + 7
    finally:
        for one in opened:
            os.close(one)
