"""What `brainsmith doctor` knows of the tools."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainsmith.toolchains.doctor import inspect

NAMES = ["g++", "verilator", "yosys", "nextpnr-ecp5", "nextpnr-ice40"]


def test_the_tools_of_this_environment_are_found() -> None:
    statuses = inspect()
    assert [status.name for status in statuses] == NAMES
    for status in statuses:
        assert status.found, status
        assert status.version is not None and status.version[0].isdigit()
        assert status.path is not None and status.path.exists()
        assert status.needed_for


def test_what_is_missing_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    compiler, *others = inspect()
    assert not compiler.found
    assert "apt install g++" in compiler.install_hint
    assert compiler.version is compiler.path is None
    assert all(status.found for status in others)


def test_a_native_tool_is_preferred(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    native = tmp_path / "nextpnr-ecp5"
    native.write_text(
        "#!/bin/sh\necho '\"nextpnr-ecp5\" -- Next Generation (Version 0.9-12-gabc)'\n"
    )
    native.chmod(0o755)
    # A Yosys that cannot read SystemVerilog through slang is passed over.
    yosys = tmp_path / "yosys"
    yosys.write_text("#!/bin/sh\necho 'No such command: read_slang'\n")
    yosys.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    found = {status.name: status for status in inspect()}
    assert found["nextpnr-ecp5"].path == native
    assert found["nextpnr-ecp5"].version == "0.9-12-gabc"
    assert found["yosys"].path != yosys
