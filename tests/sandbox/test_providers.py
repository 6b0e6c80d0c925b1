"""Surroundings that somebody else makes, proved by the same probe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from brainsmith.errors import PluginSecurityError
from brainsmith.sandbox.execution import Subject, execute
from brainsmith.sandbox.levels import Level
from brainsmith.sandbox.providers import Bubblewrap
from brainsmith.sandbox.report import proof
from tests.sandbox.conftest import QUICK

Write = Callable[[str], Subject]
HERE = "import os\ndef f(path):\n    return [os.path.exists(path), os.uname().nodename]\n"


@dataclass(frozen=True)
class Plain:
    """A provider that promises namespaces, and changes nothing."""

    name: str = "plain"
    level: Level = Level.L4

    def missing(self) -> str:
        return ""

    def command(self, command: Sequence[str], tree: Sequence[str]) -> list[str]:
        return list(command)


def call(subject: Subject, provider: object, level: Level = Level.L4) -> object:
    return execute(
        subject,
        "code_of_plugin:f",
        (__file__,),
        label="f",
        policy=QUICK,
        level=level,
        provider=provider,  # type: ignore[arg-type]
    )


@pytest.mark.skipif(bool(Bubblewrap().missing()), reason="bubblewrap is not installed")
def test_bubblewrap_reaches_l4(write: Write) -> None:
    protections, why = proof(Level.L4, Bubblewrap())
    assert not why
    assert all(one.active for one in protections)
    assert call(write(HERE), Bubblewrap()) == [False, "sandbox"]


def test_a_promise_that_is_not_kept_is_seen(write: Write) -> None:
    with pytest.raises(PluginSecurityError, match="files can be seen"):
        call(write(HERE), Plain())


def test_a_provider_that_is_not_there_is_told(write: Write) -> None:
    with pytest.raises(PluginSecurityError, match="no program 'nobody'"):
        call(write(HERE), Bubblewrap("nobody"))


def test_no_level_above_what_a_provider_has(write: Write) -> None:
    with pytest.raises(PluginSecurityError, match="the provider plain does not reach it"):
        call(write(HERE), Plain(), Level.L5)
    with pytest.raises(PluginSecurityError, match="Brainsmith itself does not reach it"):
        call(write(HERE), None, Level.L5)
