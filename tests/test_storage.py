"""Files that are written whole, and what is said where they cannot be."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from brainsmith.errors import StorageError
from brainsmith.storage import storage_errors, write_atomic


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    for content in ("one", "zwölf", b"\x00\xff"):
        write_atomic(tmp_path / "file", content)
    assert (tmp_path / "file").read_bytes() == b"\x00\xff"
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644
    assert len(list(tmp_path.iterdir())) == 1


def test_folders_are_made_where_that_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="No such file"):
        write_atomic(tmp_path / "a" / "file", "one")
    write_atomic(tmp_path / "a" / "file", "one", parents=True)
    assert (tmp_path / "a" / "file").read_text() == "one"


def test_what_cannot_be_replaced_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(StorageError, match="taken"):
        write_atomic(tmp_path / "taken", "one")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


@pytest.mark.parametrize(
    ("number", "advice"),
    [(errno.ENOSPC, "free some space"), (errno.EFBIG, "raise the limit"), (errno.EBUSY, "in use")],
)
def test_the_hint_names_the_place_that_can_be_changed(
    tmp_path: Path, number: int, advice: str
) -> None:
    with pytest.raises(StorageError) as caught, storage_errors(tmp_path, "look elsewhere"):
        raise OSError(number, "no luck")
    assert advice in str(caught.value.hint) and "look elsewhere" in str(caught.value.hint)
    assert caught.value.where == str(tmp_path)


def test_other_errors_are_not_those_of_the_disk(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), storage_errors(tmp_path):
        (tmp_path / "missing").read_text()
