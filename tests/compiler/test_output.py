"""The folder of a build: whole, or not at all."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import pytest

from brainsmith.compiler.output import build_folder, failed_log
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


@pytest.mark.parametrize("name", [".", "inside", "inside/.."])
def test_the_folder_in_which_this_runs_is_refused_before_anything_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    inside = tmp_path / "inside"
    (inside / "deeper").mkdir(parents=True)
    (inside / "report.json").write_text("{}")
    monkeypatch.chdir(inside / "deeper" if name == "inside" else inside)
    place = tmp_path / name if name == "inside" else Path(name)
    if name == "inside/..":
        (inside / "inside").mkdir()
    entered = False
    with pytest.raises(ConfigurationError, match="in which this runs"), build_folder(place):
        entered = True
    assert not entered
    assert [path.name for path in tmp_path.iterdir()] == ["inside"]


def test_a_mount_point_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="mount point"), build_folder(Path("/proc")):
        pass


def test_a_move_that_fails_brings_the_old_build_back(tmp_path: Path) -> None:
    with build_folder(tmp_path / "build") as folder:
        (folder / "report.json").write_text("old")
    with pytest.raises(FileNotFoundError), build_folder(tmp_path / "build") as folder:
        shutil.rmtree(folder)
    assert (tmp_path / "build" / "report.json").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["build"]


def test_the_log_of_a_failure_goes_with_the_first_build_that_succeeds(tmp_path: Path) -> None:
    place = tmp_path / "build"
    log = failed_log(place)
    log.write_text("it failed")
    with pytest.raises(RuntimeError), build_folder(place):
        raise RuntimeError
    assert log.exists()
    with build_folder(place) as folder:
        (folder / "report.json").write_text("{}")
    assert not log.exists()


def test_the_log_of_the_folder_in_which_this_runs_lies_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert failed_log(Path()) == tmp_path.with_name(f"{tmp_path.name}.failed.log")


def test_a_full_output_says_to_choose_another(tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(StorageError) as caught, build_folder(tmp_path / "build"):
        raise full
    assert caught.value.hint == "free some space, or choose another folder with --output"


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
