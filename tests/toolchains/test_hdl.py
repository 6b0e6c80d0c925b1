"""Sources, memory images and parameter values."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainsmith.errors import ToolError
from brainsmith.toolchains.hdl import Hdl, Source, literal, write_files, write_sources


def test_headers_are_written_but_not_compiled(tmp_path: Path) -> None:
    names = write_sources([Source("types.svh", "// types"), Source("a.sv", "// a")], tmp_path)
    assert names == ["a.sv"]
    assert (tmp_path / "types.svh").exists()


def test_equal_sources_are_written_once_and_different_ones_kept_apart(tmp_path: Path) -> None:
    sources = [Source("a.sv", "// 1"), Source("a.sv", "// 1"), Source("a.sv", "// 2")]
    names = write_sources(sources, tmp_path)
    assert [(tmp_path / name).read_text() for name in names] == ["// 1", "// 2"]


@pytest.mark.parametrize("name", ["../a.hex", "/etc/a.hex", "b/a.hex", ""])
def test_a_name_with_a_folder_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="plain file name"):
        write_files({name: b""}, tmp_path)


def test_merging_keeps_one_of_each() -> None:
    one = Hdl((Source("a.sv", "a"),), {"w.hex": b"1"})
    both = one.merge(Hdl((Source("a.sv", "a"), Source("b.sv", "b")), {"w.hex": b"1"}))
    assert [source.name for source in both.sources] == ["a.sv", "b.sv"]
    with pytest.raises(ToolError, match=r"w\.hex"):
        one.merge(Hdl((), {"w.hex": b"2"}))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7, "7"),
        (-5, "-5"),
        (1 << 31, "64'h80000000"),
        (-(1 << 40), "-64'sh10000000000"),
        (1 << 100, f"102'h{1 << 100:x}"),
        ("w.hex", '"w.hex"'),
        ('a"b\\', '"a\\"b\\\\"'),
    ],
)
def test_literals(value: int | str, text: str) -> None:
    assert literal(value) == text
