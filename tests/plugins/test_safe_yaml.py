"""YAML as plugins may write it: data only, and every complaint with its line."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from brainsmith.errors import PluginError
from brainsmith.plugins.safe_yaml import (
    MAX_BYTES,
    MAX_DEPTH,
    Document,
    parse_yaml,
    read_document,
    read_yaml,
)

BOMB = "a: &a [x, x, x]\nb: &b [*a, *a, *a]\nc: &c [*b, *b, *b]\nname: *c\n"

text = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufeff\ufffe\uffff"),
    max_size=20,
)
values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None)
@given(values)
def test_what_a_yaml_writer_writes_is_read(value: object) -> None:
    written = yaml.safe_dump(value, allow_unicode=True)
    assert parse_yaml(written, "f").data == value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1.0.0", "1.0.0"),
        ("2026-01-01", "2026-01-01"),
        ("no", "no"),
        ("on", "on"),
        ("1:20", "1:20"),
        ("1_000", "1_000"),
        ("0x10", 16),
        ("0o17", 15),
        ("-12", -12),
        ("1e3", 1000.0),
        ("-.5", -0.5),
        (".inf", float("inf")),
        ("-.INF", float("-inf")),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("'1'", "1"),
        ('"null"', "null"),
    ],
)
def test_plain_scalars_are_read_by_the_core_schema(written: str, value: object) -> None:
    found = parse_yaml(f"x: {written}\n", "f").data["x"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("written", "line", "message"),
    [
        (BOMB, 1, "anchor 'a'"),
        ("name: a\nx: *y\n", 2, "alias 'y'"),
        ("a: 1\nb: !!python/object/apply:os.system [ls]\n", 2, "tag .*python/object"),
        ("a: !<x> 1\n", 1, "tag 'x'"),
        ("a: ! 1\n", 1, "tag '!'"),
        ("a: 1\nb: 2\na: 3\n", 3, "'a' is there twice"),
        ("a:\n  b: 1\n  'b': 2\n", 3, "'b' is there twice"),
        ("a: 1\n<<: {b: 1}\n", 2, "merge keys"),
        ("? [a]\n: b\n", 1, "a key is a list"),
        ("? !!str a\n: b\n", 1, "a key has a tag"),
        ("a: 1\n---\na: 2\n", 2, "second document"),
        ("a: [\n", 2, "no[t]? YAML"),
        ("a: 1\n\tb: 2\n", 2, "not YAML"),
        ("a: '\n", 2, "not YAML"),
        ("x: " + "[" * (MAX_DEPTH + 1) + "\n", 1, "levels deep"),
        ("[" * 100_000, 1, "levels deep"),
        ("%YAML 3.0\n---\na: 1\n", 1, "not YAML"),
    ],
)
def test_what_is_not_data_is_refused_with_its_line(written: str, line: int, message: str) -> None:
    with pytest.raises(PluginError, match=message) as caught:
        parse_yaml(written, "f.yaml")
    assert caught.value.where == f"f.yaml:{line}"


@settings(deadline=None)
@given(st.text(max_size=60) | st.text("{}[]:,-?&*!|>'\"%@`# \n\tab1", max_size=60))
def test_any_text_is_a_document_or_a_plugin_error(written: str) -> None:
    try:
        document = parse_yaml(written, "f")
    except PluginError as error:
        assert (error.where or "").startswith("f")
    else:
        assert document.line_of(("a", 0)) >= 1


def test_every_field_has_its_line() -> None:
    document = parse_yaml("# top\nname: x\nkernels:\n  - name: a\n    tags: [b,\n      c]\n", "f")
    assert document.line_of(("name",)) == 2
    assert document.line_of(("kernels",)) == 3
    assert document.line_of(("kernels", 0, "name")) == 4
    assert document.line_of(("kernels", 0, "tags", 1)) == 6
    assert document.line_of(("kernels", 0, "missing", "deeper")) == 4
    assert document.place(("kernels", 0, "tags")) == "f:5"


def test_an_empty_file_is_nothing() -> None:
    assert parse_yaml("# nothing\n", "f").data is None
    assert parse_yaml("", "f").line_of(("a",)) == 1


def test_a_file_is_read_with_its_status(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes("\ufeffa: ü\r\n".encode())
    document = read_document(path)
    assert document.data == {"a": "ü"} == read_yaml(str(path))
    assert document.status is not None
    assert document.status.st_mtime_ns == path.stat().st_mtime_ns


def test_what_is_no_readable_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="No such file"):
        read_document(tmp_path / "none.yaml")
    with pytest.raises(PluginError, match="no regular file"):
        read_document(tmp_path)
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(PluginError, match="no regular file"):
        read_document(tmp_path / "pipe.yaml")


def test_a_file_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(PluginError, match="larger than"):
        read_document(path)
    path.write_bytes(b"#" * MAX_BYTES)
    assert read_document(path).data is None
    with pytest.raises(PluginError, match="no regular file"):
        read_document("/dev/zero")


def test_text_that_is_not_utf_8_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"a: 1\nb: \xff\xfe\n")
    with pytest.raises(PluginError, match="not UTF-8") as caught:
        read_document(path)
    assert caught.value.where == f"{path}:2"


def test_a_file_that_is_rewritten_all_the_time_is_read_with_its_own_status(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: 0\n")
    stop = threading.Event()

    def rewrite() -> None:
        size = 0
        while not stop.is_set():
            size = (size + 1) % 50
            path.write_text("[" + "x, " * size * 100 + "end]\n")

    writer = threading.Thread(target=rewrite)
    writer.start()
    try:
        for _ in range(50):
            read_whole(path)
    finally:
        stop.set()
        writer.join()


def read_whole(path: Path) -> None:
    try:
        document: Document = read_document(path)
    except PluginError as error:
        assert "changes while it is read" in error.what or "not YAML" in error.what
    else:
        assert document.status is not None
        assert document.status.st_size == len(document.text)
