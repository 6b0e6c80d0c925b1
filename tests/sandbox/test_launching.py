"""Tools confine themselves before they start, and nothing of them starts where that fails."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from brainsmith.sandbox import landlock, surroundings
from brainsmith.sandbox.launch import UNCONFINED
from brainsmith.sandbox.launching import Launch, lacking, launched
from brainsmith.sandbox.levels import Level
from tests.sandbox.conftest import Forker
from tests.sandbox.test_privileges import gone

SHELL = os.path.realpath("/bin/sh")
SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", "/dev/zero")
LOADERS = ("/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1")
PROGRAMS = ("/bin/cat", "/bin/true", "/bin/ls", "/bin/mkdir", "/bin/sleep")


@pytest.fixture
def given(open_path: Path) -> Launch:
    """A build that may start a shell and a few programs, in a folder of its own."""
    return Launch(
        level=Level.L3,
        profile="build",
        readable=SYSTEM,
        writable=(str(open_path), os.devnull),
        executable=(SHELL, *PROGRAMS, *LOADERS),
    )


@dataclass
class Shell:
    """What a shell does, confined, as some user."""

    forker: Forker
    folder: Path

    def __call__(self, given: Launch, script: str) -> tuple[int, str]:
        """Its exit status, and what it said."""
        plan = launched(given, ())[-1]
        output = self.folder / "output"
        answer = self.forker.act(
            "launch_here", plan, str(output), SHELL, "-c", script, confined=None
        )
        return answer["code"], output.read_text()


@pytest.fixture
def shell(forker: Forker, open_path: Path) -> Shell:
    return Shell(forker, open_path)


def test_a_build_starts_what_it_may_and_changes_its_folder(
    given: Launch, open_path: Path, shell: Shell
) -> None:
    script = f"cd {open_path} && echo made > made && mkdir sub && cat made"
    assert shell(given, script) == (0, "made\n")
    assert (open_path / "sub").is_dir()


def test_a_build_reaches_nothing_else(given: Launch, open_path: Path, shell: Shell) -> None:
    secret = open_path.parent / f"{open_path.name}-secret"
    secret.write_text("secret")
    secret.chmod(0o666)
    try:
        for script in (f"cat {secret}", f"echo > {secret}", "ls /", "ls /proc/1", "/usr/bin/id"):
            status, said = shell(given, script)
            assert status != 0, script
            assert "ermission denied" in said
        assert secret.read_text() == "secret"
        low = replace(given, level=Level.L2)
        assert shell(low, f"cat {secret}") == (0, "secret")
        # Filters hold still, without Landlock.
        assert "not permitted" in shell(low, "kill -0 $$")[1]
    finally:
        secret.unlink()


def test_a_build_has_no_network_and_signals_nobody(given: Launch, open_path: Path) -> None:
    script = (
        "import os, socket\n"
        "for act in (lambda: socket.socket(), lambda: os.kill(os.getppid(), 0), os.setsid,\n"
        "            lambda: os.symlink('/etc', 'link'), lambda: os.chmod('.', 0o700)):\n"
        "    try: act(); print('done')\n"
        "    except OSError as error: print(error.errno)\n"
    )
    python = os.path.realpath(sys.executable)
    given = replace(
        given, executable=(python, *LOADERS), readable=(*SYSTEM, *surroundings.readable())
    )
    command = (python, "-I", "-S", "-c", script)
    done = subprocess.run(launched(given, command), capture_output=True, text=True, cwd=open_path)
    assert done.stdout.split() == [str(errno.EPERM)] * 5, done.stderr
    control = subprocess.run(command, capture_output=True, text=True, cwd=open_path)
    assert control.stdout.split().count("done") >= 3


def test_a_simulation_starts_nothing_not_even_itself(
    given: Launch, open_path: Path, shell: Shell
) -> None:
    given = replace(given, profile="simulate")
    _, said = shell(given, f"echo here > {open_path}/made; /bin/true; echo not reached")
    assert "Cannot fork" in said
    assert (open_path / "made").read_text() == "here\n"
    for program in ("/bin/true", SHELL):
        status, said = shell(given, f"exec {program} -c true")
        assert status != 0
        assert "not permitted" in said
    assert shell(replace(given, profile="build"), "exec /bin/true") == (0, "")


def test_limits_hold_for_tools(given: Launch, open_path: Path, shell: Shell) -> None:
    limited = replace(given, file_size=1 << 20, memory=1 << 30)
    assert shell(limited, "ulimit -f; ulimit -c; ulimit -d") == (0, "2048\n0\n1048576\n")
    assert shell(limited, f"cat /dev/zero > {open_path}/big")[0] != 0
    assert (open_path / "big").stat().st_size == 1 << 20


def test_no_descriptor_is_inherited(given: Launch, open_path: Path) -> None:
    given = replace(given, readable=(*SYSTEM, "/proc/self/fd"), level=Level.L1)
    with (open_path / "secret").open("w") as secret:
        os.set_inheritable(secret.fileno(), True)
        number = secret.fileno()
        command = (SHELL, "-c", "ls /proc/self/fd")
        done = subprocess.run(launched(given, command), capture_output=True, text=True,
                              close_fds=False)  # fmt: skip
        control = subprocess.run(command, capture_output=True, text=True, close_fds=False)
    assert str(number) not in done.stdout.split()
    assert str(number) in control.stdout.split()


def test_a_tool_ends_with_the_process_that_started_it(given: Launch) -> None:
    command = ("/bin/sleep", "60")
    script = (
        "import json, subprocess, sys\n"
        "from brainsmith.sandbox.launching import Launch, launched\n"
        "from brainsmith.sandbox.levels import Level\n"
        "given = json.loads(sys.argv[1])\n"
        "given['level'] = Level(given['level'])\n"
        "process = subprocess.Popen(launched(Launch(**given), sys.argv[2:]))\n"
        "print(process.pid, flush=True)\n"
        "process.wait()\n"
    )
    told = json.dumps({**given.__dict__, "level": int(given.level)})
    with subprocess.Popen(
        (sys.executable, "-c", script, told, *command), stdout=subprocess.PIPE
    ) as host:
        assert host.stdout is not None
        pid = int(host.stdout.readline())
        wait_for(pid, "sleep")
        host.kill()
    assert gone(pid)


def wait_for(pid: int, name: str) -> None:
    while Path(f"/proc/{pid}/comm").read_text().strip() != name:
        pass


def test_what_cannot_be_confined_does_not_start(given: Launch, open_path: Path) -> None:
    """A launcher that is confined itself may not use Landlock, as if the kernel had none."""
    inner = launched(given, ("/bin/mkdir", str(open_path / "made")))
    python = os.path.realpath(sys.executable)
    # Its parent is the same process, as the outer launcher becomes the inner one.
    outer = replace(
        given, level=Level.L2, readable=surroundings.readable(), executable=(python, *LOADERS)
    )
    done = subprocess.run(launched(outer, inner), capture_output=True, text=True)
    assert done.returncode == UNCONFINED
    assert done.stderr.startswith("brainsmith: a tool could not be confined")
    assert not (open_path / "made").exists()
    done = subprocess.run(inner, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (open_path / "made").exists()


def test_a_program_that_is_not_there_is_named(given: Launch) -> None:
    done = subprocess.run(launched(given, ("/no/such/tool",)), capture_output=True, text=True)
    assert done.returncode == UNCONFINED
    assert done.stderr == "brainsmith: /no/such/tool cannot be started: No such file or directory\n"


def test_the_launcher_loads_next_to_nothing(given: Launch) -> None:
    python, *rest = launched(given, ("/bin/true",))
    done = subprocess.run(
        (python, "-X", "importtime", *rest), capture_output=True, text=True, check=True
    )
    loaded = set(re.findall(r"\| +([\w.]+)$", done.stderr, re.MULTILINE))
    assert "brainsmith.sandbox.privileges" in loaded
    slow = {"re", "json", "enum", "typing", "dataclasses", "pathlib", "collections", "inspect"}
    assert loaded & slow == set()


def test_what_a_machine_lacks_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lacking(Level.L1) is None
    if landlock.abi() > 0:
        assert lacking(Level.L3) is None
    monkeypatch.setattr(landlock, "abi", lambda: 0)
    assert "no Landlock" in str(lacking(Level.L3))
    assert lacking(Level.L2) is None
