"""`brainsmith doctor`."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from brainsmith.cli.outcome import console
from brainsmith.sandbox.levels import Level
from brainsmith.sandbox.report import Protection, SandboxReport

if TYPE_CHECKING:
    from conftest import Brainsmith


def test_the_tools_of_this_machine_are_found(brainsmith: Brainsmith) -> None:
    ran = brainsmith("doctor", "--json")
    tools = {tool["name"]: tool for tool in ran.json["tools"]}
    assert {"verilator", "yosys", "nextpnr-ecp5", "nextpnr-ice40"} <= set(tools)
    assert all(tool["needed_for"] and tool["install_hint"] for tool in tools.values())
    assert ran.json["success"] is all(tool["found"] for tool in tools.values())
    assert ran.code == (0 if ran.json["success"] else 7)


def test_a_missing_compiler_is_named_with_what_to_install(brainsmith: Brainsmith) -> None:
    ran = brainsmith("doctor", env={"PATH": "/nonexistent", "CXX": ""})
    assert ran.code == 7
    assert "missing: " in ran.out
    assert "g++" in ran.out.partition("missing: ")[2]


def test_the_sandbox_s_level_is_told_and_why_it_is_no_higher(brainsmith: Brainsmith) -> None:
    sandbox = brainsmith("doctor", "--json").json["sandbox"]
    assert sandbox["level"] in ("L0", "L1", "L2", "L3", "L4", "L5")
    assert sandbox["required"] == "L3"
    assert sandbox["meaning"]
    assert sandbox["level"] == "L5" or sandbox["why_not_higher"]
    assert all(set(one) == {"name", "active", "detail"} for one in sandbox["protections"])
    text = brainsmith("doctor").out
    assert f"sandbox of plugins: {sandbox['level']}" in text
    assert all(one["name"] in text for one in sandbox["protections"])


@pytest.mark.parametrize(("level", "refused"), [(Level.L3, False), (Level.L1, True)])
def test_a_machine_that_cannot_confine_plugins_is_told_what_that_means(
    level: Level, refused: bool
) -> None:
    from brainsmith.cli.doctor import _show_sandbox

    stream = io.StringIO()
    protections = (Protection("files", not refused, "no Landlock [bold]"),)
    _show_sandbox(SandboxReport(level, protections, "no Landlock"), console(stream))
    text = stream.getvalue()
    assert ("they are refused here" in text) is refused
    assert ("✘ files  no Landlock [bold]" in text) is refused
    assert "no higher level: no Landlock" in text
