"""The limits of a call are set, hold, and cannot be raised."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from brainsmith.sandbox import limits
from brainsmith.sandbox.confinement import Confinement
from tests.sandbox.conftest import Forker

MIB = 1 << 20
SMALL = Confinement(
    level=1, profile="call", memory=64 * MIB, cpu_time=1, file_size=MIB, open_files=32
)


def test_more_memory_than_granted_cannot_be_had(forker: Forker) -> None:
    assert forker.act("allocate", 32 * MIB, confined=SMALL)["value"] == 32 * MIB
    assert forker.act("allocate", 65 * MIB, confined=SMALL)["error"] == "MemoryError"
    free = replace(SMALL, without=("memory",))
    assert forker.act("allocate", 65 * MIB, confined=free)["value"] == 65 * MIB


def test_the_signal_tells_that_the_processor_time_is_up(forker: Forker) -> None:
    # As long as that, so that a busy machine gives it its second too.
    assert forker.act("spin", 120, confined=SMALL)["signal"] == "SIGXCPU"
    assert "value" in forker.act("spin", 0.2, confined=SMALL)


def test_a_file_grows_to_the_limit(forker: Forker, open_path: Path) -> None:
    file = str(open_path / "file")
    assert forker.act("fill", file, 3 * MIB, confined=SMALL)["errno"] == errno.EFBIG
    assert os.stat(file).st_size == MIB
    free = replace(SMALL, without=("output_size",))
    assert forker.act("fill", file, 3 * MIB, confined=free)["value"] == 3 * MIB


def test_descriptors_run_out_at_the_limit(forker: Forker) -> None:
    assert 20 < forker.act("open_many", confined=SMALL)["value"] < 32
    free = replace(SMALL, without=("open-files",))
    assert forker.act("open_many", confined=free)["value"] > 100


def test_there_are_no_core_dumps_locked_memory_queues_or_priorities(forker: Forker) -> None:
    names = ("CORE", "MEMLOCK", "MSGQUEUE", "NICE", "RTPRIO")
    values = forker.act("limits", *names, confined=SMALL)["value"]
    assert values == {name: [0, 0] for name in names}


def test_a_lower_limit_that_holds_already_stays() -> None:
    script = (
        "import resource\n"
        "from brainsmith.sandbox import limits\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (16, 20))\n"
        "limits.of_call(0, memory=None, cpu_time=None, file_size=1, open_files=64)\n"
        "print(*resource.getrlimit(resource.RLIMIT_NOFILE))\n"
    )
    done = subprocess.run((sys.executable, "-c", script), capture_output=True, text=True)
    assert done.stdout.split() == ["20", "20"], done.stderr


def test_another_process_is_limited_from_outside() -> None:
    script = "input(); bytearray(200 << 20)"
    pipe = subprocess.PIPE
    with subprocess.Popen((sys.executable, "-c", script), stdin=pipe, stderr=pipe) as child:
        time.sleep(0.2)
        limits.of_call(child.pid, memory=64 * MIB, cpu_time=5, file_size=MIB, open_files=32)
        assert resource.prlimit(child.pid, resource.RLIMIT_NOFILE) == (32, 32)
        _, said = child.communicate(b"\n")
    assert b"MemoryError" in said
    assert child.returncode == 1


def test_processor_time_is_that_of_all_threads() -> None:
    before = limits.processor_time(0)
    end = time.process_time() + 0.1
    while time.process_time() < end:
        pass
    assert limits.processor_time(0) - before == pytest.approx(0.1, abs=0.08)
    assert limits.processor_time(os.getpid()) >= before
