"""Privileges are gone for good, and descriptors are closed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from brainsmith.sandbox.confinement import Confinement
from tests.sandbox.conftest import Forker

NOTHING = "0" * 16
C = Confinement(level=1, profile="call")


def test_no_capability_is_left(forker: Forker) -> None:
    status = forker.act("status", confined=C)["value"]
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert status[name] == NOTHING
    if forker.uid is None and os.getuid() == 0:
        assert status["CapBnd"] == NOTHING
        control = forker.act("status", confined=None)["value"]
        assert control["CapEff"] != NOTHING


def test_no_program_gets_privileges_that_its_parent_has_not(forker: Forker) -> None:
    assert forker.act("status", confined=C)["value"]["NoNewPrivs"] == "1"
    assert forker.act("status", confined=None)["value"]["NoNewPrivs"] == "0"


def test_what_root_starts_is_nobody_special(forker: Forker) -> None:
    answer = forker.act("capabilities_of_a_child", confined=C)
    assert answer["value"] == NOTHING


def test_all_descriptors_but_a_few_are_closed(forker: Forker) -> None:
    kept = [0, 1, 2, 9]
    assert forker.act("descriptors", confined=C)["value"] == kept
    free = Confinement(level=1, profile="call", without=("descriptors",))
    assert len(forker.act("descriptors", confined=free)["value"]) > len(kept)


def test_descriptors_between_those_that_stay_are_closed() -> None:
    script = (
        "import os\n"
        "from brainsmith.sandbox import privileges\n"
        "for fd in (20, 21, 22, 40, 900): os.dup2(1, fd)\n"
        "privileges.close_others({1, 21, 40})\n"
        "def open_(fd):\n"
        "    try: return bool(os.fstat(fd))\n"
        "    except OSError: return False\n"
        "print(*[fd for fd in range(1000) if open_(fd)])\n"
    )
    for older in ("", "privileges._CLOSE_RANGE = 9999\n"):  # a kernel before 5.9 has none
        text = script.replace("privileges.close", f"{older}privileges.close")
        done = subprocess.run((sys.executable, "-c", text), capture_output=True, text=True)
        assert done.stdout.split() == ["1", "21", "40"], done.stderr


def test_a_process_ends_with_the_one_that_started_it(tmp_path: Path) -> None:
    child = (
        "import os, time\n"
        "from brainsmith.sandbox import privileges\n"
        "privileges.die_with(os.getppid())\n"
        "print(os.getpid(), flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = f"import subprocess, sys; subprocess.run((sys.executable, '-c', {child!r}))"
    with subprocess.Popen((sys.executable, "-c", parent), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        assert Path(f"/proc/{pid}").exists()
        process.kill()
    assert gone(pid)


def gone(pid: int) -> bool:
    """Whether a process has ended, or does so within some seconds."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return True
        if stat.rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.02)
    return False


def test_a_process_whose_parent_has_ended_is_told() -> None:
    script = (
        "from brainsmith.sandbox import privileges\n"
        "try: privileges.die_with(1 << 30)\n"
        "except OSError as error: print(error)\n"
    )
    done = subprocess.run((sys.executable, "-c", script), capture_output=True, text=True)
    assert "the parent has ended" in done.stdout
