"""`brainsmith doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
