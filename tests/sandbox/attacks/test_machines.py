"""Hosts that are killed, that fork, that are no root, and machines that lack something."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from brainsmith.sandbox.levels import Level
from brainsmith.sandbox.report import proof
from tests.sandbox.attacks.processes import below, ended
from tests.sandbox.attacks.table import ATTACKS

ROOT = Path(__file__).parents[3]
NOBODY = 65534


def host(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tests.sandbox.attacks.hosts", *arguments]


def told(*arguments: str) -> Any:
    """What a host of a kind prints."""
    done = subprocess.run(
        host(*arguments), cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("level", ["L1", "L3", "L4"])
def test_nothing_survives_a_caller_that_is_killed(level: str) -> None:
    if why := proof(Level.parse(level))[1]:
        pytest.skip(why)
    with subprocess.Popen(host("works", level), cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        zygotes = json.loads(process.stdout.readline())
        pids = below(process.pid)
        assert set(zygotes) < pids
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert ended(pids, 5)


def test_forks_of_a_host_make_calls_of_their_own() -> None:
    assert told("forks") == [1, 10, 2, 11, 3]


def test_without_user_namespaces_l3_holds_and_l4_says_why_not() -> None:
    seen = told("lacks", "unshare:EPERM")
    assert seen["level"] == "L3"
    assert seen["called"] == 7
    assert "unshare" in seen["whys"]["L4"]


def test_without_landlock_the_call_is_refused() -> None:
    seen = told("lacks", "landlock_create_ruleset:ENOSYS")
    assert seen["level"] == "L2"
    assert "Landlock" in seen["called"]
    assert "L3" in seen["called"]


def test_without_filters_the_call_is_refused() -> None:
    seen = told("lacks", "seccomp:EPERM")
    assert seen["level"] == "L1"
    assert "seccomp" in seen["called"]


def test_a_step_of_confinement_that_fails_is_no_call() -> None:
    """The kernel says that it has Landlock, and then restricts nobody."""
    seen = told("lacks", "landlock_restrict_self:EPERM")
    assert seen["level"] in ("L1", "L2")
    assert "landlock_restrict_self" in seen["called"]


@pytest.fixture
def of_user() -> Iterator[Path]:
    """A folder of an ordinary user's, with a copy of the tests."""
    folder = Path(tempfile.mkdtemp(prefix="brainsmith-user-", dir="/tmp"))
    shutil.copytree(ROOT / "tests/sandbox", folder / "tests/sandbox")
    shutil.copytree(ROOT / "src", folder / "src")
    (folder / "tmp").mkdir()
    for path in (folder, *folder.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="these tests run as an ordinary user already")
def test_every_attack_of_an_ordinary_user_is_ended(of_user: Path) -> None:
    wrapper = Path(__file__).with_name("as_user.py")
    needed = (of_user, sys.prefix, sys.base_prefix)
    command = (sys.executable, wrapper, str(NOBODY), *needed, "--", *host("runs", "L3", "L4"))
    environment = {"PATH": os.environ["PATH"], "HOME": str(of_user), "TMPDIR": str(of_user / "tmp")}
    done = subprocess.run(
        list(map(str, command)),
        env={**environment, "PYTHONPATH": f"{of_user / 'src'}:{of_user}"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["user"] == NOBODY
    seen = told["verdicts"]
    expected = {
        level: {attack.name: attack.verdict_at(Level[level]) for attack in ATTACKS}
        for level in ("L3", "L4")
    }
    for attack in ATTACKS:
        if attack.rules == ("capabilities",):  # of which an ordinary user has none
            for level in expected:
                expected[level].pop(attack.name)
                seen[level].pop(attack.name)
    assert {
        (level, name): (seen[level].get(name), verdict)
        for level, verdicts in expected.items()
        for name, verdict in verdicts.items()
        if seen[level].get(name) != verdict
    } == {}
