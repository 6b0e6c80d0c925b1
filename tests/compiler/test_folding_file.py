"""Folding files, and those that people spoil."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainsmith.compiler.folding_file import read_folding
from brainsmith.errors import ConfigurationError

WANTED = {"MatMul_0": {"PE": 4, "ram_style": "block"}}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("f.json", '{"MatMul_0": {"PE": 4, "ram_style": "block"}}'),
        ("f.yaml", "MatMul_0: {PE: 4, ram_style: block}\n"),
        ("f.yml", "MatMul_0:\n  PE: 4\n  ram_style: block\n"),
    ],
)
def test_json_and_yaml_are_read(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert read_folding(tmp_path / name) == WANTED


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("f.yaml", b"M: {PE: \xff}", "UTF-8"),
        ("f.json", b'{"M": {"PE": "\xff"}}', "UTF-8"),
        ("f.yaml", b"M: {PE: 4}\nM: {PE: 8}", "M"),
        ("f.json", b'{"M": {"PE": 4}, "M": {"PE": 8}}', "'M' is there twice"),
        ("f.json", b'{"M": {"PE": 4, "PE": 8}}', "'PE' is there twice"),
        ("f.json", b'{"M": ', "not readable"),
        ("f.json", b"[" * 100_000, "not readable"),
        ("f.json", b'{"M": {"PE": ' + b"9" * 5000 + b"}}", "not readable"),
        ("f.yaml", b"M: [1, 2]", "maps each node"),
        ("f.yaml", b"", "maps each node"),
    ],
)
def test_a_spoilt_file_is_an_error_that_names_it(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=message) as caught:
        read_folding(path)
    assert str(caught.value.where).startswith(str(path))


def test_a_number_is_a_name_as_any_other(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text("1: {2: 4}")
    assert read_folding(tmp_path / "f.yaml") == {"1": {"2": 4}}


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        read_folding(tmp_path / "missing.yaml")
