"""The folder of a build: whole, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainsmith.compiler.output import build_folder
from brainsmith.errors import ConfigurationError, StorageError


def test_a_build_appears_whole(tmp_path: Path) -> None:
    place = tmp_path / "a" / "build"
    with build_folder(place) as folder:
        (folder / "report.json").write_text("{}")
        assert not place.exists()
    assert (place / "report.json").read_text() == "{}"
    assert [path.name for path in place.parent.iterdir()] == ["build"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failed_build_leaves_what_was_there(tmp_path: Path, error: type[BaseException]) -> None:
    place = tmp_path / "build"
    with build_folder(place) as folder:
        (folder / "report.json").write_text("old")
    with pytest.raises(error), build_folder(place) as folder:
        (folder / "report.json").write_text("new")
        raise error
    assert (place / "report.json").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["build"]


def test_a_new_build_replaces_the_old(tmp_path: Path) -> None:
    for text in ("one", "two"):
        with build_folder(tmp_path / "build") as folder:
            (folder / "report.json").write_text(text)
    assert (tmp_path / "build" / "report.json").read_text() == "two"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ConfigurationError, match="something else"), build_folder(tmp_path):
        pass
    assert (tmp_path / "thesis.tex").exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    place = tmp_path / "file" / "build"
    with (
        pytest.raises(StorageError, match="cannot make the output folder") as caught,
        build_folder(place),
    ):
        pass
    assert caught.value.where == str(place)
    assert "another folder" in str(caught.value.hint)
