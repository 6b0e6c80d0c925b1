"""An update brings what the templates have learned, and keeps what the author wrote."""

from __future__ import annotations

import errno
import json
import shutil
import zipfile
from pathlib import Path

import pytest

from brainsmith.errors import ConfigurationError, StorageError
from brainsmith.pdk import rendering
from brainsmith.pdk.answers import checked
from brainsmith.pdk.create import create
from brainsmith.pdk.rendering import TEMPLATES
from brainsmith.pdk.update import update
from tests.pdk.conftest import Run

KERNEL = "src/mine/kernel.py"


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    answers = checked("mine", "kernel", "add", "Ada", "MIT", "Adds")
    create(answers, folder)
    return folder


@pytest.fixture
def newer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the templates, which the program takes for its own."""
    copy = tmp_path / "templates"
    shutil.copytree(TEMPLATES, copy)
    monkeypatch.setattr(rendering, "TEMPLATES", copy)
    return copy


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def template(newer: Path, name: str) -> Path:
    (found,) = newer.joinpath("kernel/add").rglob(f"{name}.jinja")
    return found


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_nothing_new_changes_nothing(plugin: Path) -> None:
    before = contents(plugin)
    found = update(plugin)
    assert not found.is_needed and not found.files
    found.write()
    assert contents(plugin) == before


def test_both_sides_stay(plugin: Path, newer: Path) -> None:
    edit(plugin / KERNEL, "PE sums a cycle", "PE fine sums a cycle")
    edit(template(newer, "kernel.py"), "the register of y.", "the register that holds y.")
    found = update(plugin)
    assert found.changed == [KERNEL] and not found.conflicts
    found.write()
    text = (plugin / KERNEL).read_text()
    assert "PE fine sums a cycle" in text and "the register that holds y." in text
    assert not update(plugin).is_needed


def test_the_same_lines_on_both_sides_are_a_conflict(plugin: Path, newer: Path) -> None:
    edit(plugin / KERNEL, "PE sums a cycle", "my words")
    edit(template(newer, "kernel.py"), "PE sums a cycle", "other words")
    found = update(plugin)
    assert found.conflicts == [KERNEL]
    found.write()
    text = (plugin / KERNEL).read_text()
    assert text.index("<<<<<<< yours") < text.index("my words") < text.index("other words")
    assert ">>>>>>> the template" in text
    again = update(plugin)
    assert not again.is_needed and again.undecided == [KERNEL]
    (plugin / KERNEL).write_text(
        "".join(line for line in text.splitlines(True) if line[:7] not in ("<" * 7, ">" * 7))
    )
    assert not update(plugin).undecided


def test_a_file_that_is_still_undecided_is_told(plugin: Path, brainsmith: Run) -> None:
    (plugin / "LICENSE").write_text("<<<<<<< yours\nmine\n=======\ntheirs\n>>>>>>> the template\n")
    done = brainsmith("update-plugin", str(plugin), expect=5)
    assert "still undecided: LICENSE" in done.stdout and "✓" not in done.stdout
    told = json.loads(brainsmith("update-plugin", str(plugin), "--json", expect=5).stdout)
    assert not told["success"] and told["undecided"] == ["LICENSE"]


def test_what_the_author_deleted_stays_deleted(plugin: Path, newer: Path) -> None:
    (plugin / KERNEL).unlink()
    edit(template(newer, "kernel.py"), "PE sums a cycle", "other words")
    found = update(plugin)
    assert not found.is_needed
    found.write()
    assert not (plugin / KERNEL).exists()


def test_new_files_come_and_old_ones_go(plugin: Path, newer: Path) -> None:
    (newer / "common" / "CITATION.cff.jinja").write_text("title: {{ name }}\n")
    (newer / "kernel" / "common" / "examples" / "example_usage.py.jinja").unlink()
    found = update(plugin)
    assert found.added == ["CITATION.cff"] and found.removed == ["examples/example_usage.py"]
    found.write()
    assert (plugin / "CITATION.cff").read_text() == "title: mine\n"
    assert not (plugin / "examples" / "example_usage.py").exists()


def test_a_new_file_where_the_author_has_one_is_a_conflict(plugin: Path, newer: Path) -> None:
    (newer / "common" / "NEWS.md.jinja").write_text("theirs\n")
    (plugin / "NEWS.md").write_text("mine\n")
    found = update(plugin)
    assert found.conflicts == ["NEWS.md"]
    found.write()
    assert "mine" in (plugin / "NEWS.md").read_text()


def test_another_answer_is_an_update_too(plugin: Path) -> None:
    found = update(plugin, {"license": "Apache-2.0"})
    assert set(found.changed) == {"brainsmith.yaml", "pyproject.toml", "LICENSE", KERNEL}
    found.write()
    assert (
        json.loads((plugin / ".brainsmith" / "answers.json").read_text())["license"] == "Apache-2.0"
    )


def test_a_file_that_cannot_be_written_leaves_all_as_they_were(plugin: Path, newer: Path) -> None:
    edit(template(newer, "kernel.py"), "PE sums a cycle", "x" * (1 << 20))
    before = contents(plugin)
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    found = update(plugin)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, hard))
    try:
        with pytest.raises(StorageError):
            found.write()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert contents(plugin) == before


def test_check_writes_nothing_and_says_so(plugin: Path, brainsmith: Run) -> None:
    before = contents(plugin)
    done = brainsmith(
        "update-plugin", str(plugin), "--license", "BSD-3-Clause", "--check", expect=5
    )
    assert "changed: pyproject.toml" in done.stdout
    assert contents(plugin) == before
    brainsmith("update-plugin", str(plugin), "--check")


def test_a_plugin_that_was_made_otherwise_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="was not made by `brainsmith create-plugin`"):
        update(tmp_path)


@pytest.mark.parametrize("damage", [{"name": "mine"}, {"author": 5}, {"license": None}, None])
def test_damaged_answers_are_told(plugin: Path, damage: dict[str, object] | None) -> None:
    path = plugin / ".brainsmith" / "answers.json"
    kept = json.loads(path.read_text())
    damaged = damage if damage in ({"name": "mine"}, None) else {**kept, **damage}
    path.write_text(json.dumps(list(kept) if damage is None else damaged))
    with pytest.raises(ConfigurationError, match="the answers cannot be read"):
        update(plugin)


def test_files_keep_their_mode_and_links_inside_stay_links(plugin: Path, newer: Path) -> None:
    (plugin / KERNEL).rename(plugin / "src" / "elsewhere.py")
    (plugin / KERNEL).symlink_to("../elsewhere.py")
    (plugin / "src" / "elsewhere.py").chmod(0o755)
    edit(template(newer, "kernel.py"), "PE sums a cycle", "other words")
    update(plugin).write()
    assert (plugin / KERNEL).is_symlink() and "other words" in (plugin / KERNEL).read_text()
    assert (plugin / "src" / "elsewhere.py").stat().st_mode & 0o777 == 0o755


def test_nothing_is_written_out_of_the_plugin(plugin: Path, newer: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (plugin / "docs").rename(tmp_path / "outside" / "docs")
    (plugin / "docs").symlink_to(tmp_path / "outside" / "docs")
    with pytest.raises(ConfigurationError, match=r"'docs/README\.md' leads out of the plugin"):
        update(plugin)


@pytest.mark.parametrize("name", ["../precious", "a/../../precious"])
def test_a_copy_with_names_outside_removes_nothing(plugin: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "precious").write_text("known")
    with zipfile.ZipFile(plugin / ".brainsmith" / "base.zip", "a") as archive:
        archive.writestr(name, "known")
    with pytest.raises(ConfigurationError, match="leads out of the plugin"):
        update(plugin)
    assert (tmp_path / "precious").read_text() == "known"


def test_what_is_no_file_in_the_way_is_told(plugin: Path, newer: Path) -> None:
    (newer / "common" / "NEWS.md.jinja").write_text("theirs\n")
    (newer / "common" / "ci").mkdir()
    (newer / "common" / "ci" / "run.sh.jinja").write_text("theirs\n")
    (plugin / "NEWS.md").mkdir()
    with pytest.raises(ConfigurationError, match="something else where the template has a file"):
        update(plugin)
    (plugin / "NEWS.md").rmdir()
    (plugin / "ci").write_text("mine")
    with pytest.raises(ConfigurationError, match=r"something else .*ci"):
        update(plugin)


def test_bytes_that_are_no_text_stay(plugin: Path, newer: Path) -> None:
    mine = b"# Jos\xe9 \x0c\r\n" + (plugin / KERNEL).read_bytes()
    (plugin / KERNEL).write_bytes(mine)
    edit(template(newer, "kernel.py"), "PE sums a cycle", "other words")
    found = update(plugin)
    assert found.changed == [KERNEL] and not found.conflicts
    found.write()
    assert (plugin / KERNEL).read_bytes() == mine.replace(b"PE sums a cycle", b"other words")


def test_markers_begin_their_lines(plugin: Path, newer: Path) -> None:
    (newer / "common" / "NEWS.md.jinja").write_text("theirs")
    (plugin / "NEWS.md").write_text("mine")  # neither ends its last line
    update(plugin).write()
    lines = (plugin / "NEWS.md").read_text().splitlines()
    assert lines == ["<<<<<<< yours", "mine", "=======", "theirs", ">>>>>>> the template"]


def test_a_disk_that_fills_up_between_two_files_leaves_all_as_they_were(
    plugin: Path, newer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(template(newer, "kernel.py"), "PE sums a cycle", "other words")
    (newer / "common" / "NEWS.md.jinja").write_text("theirs\n")
    (newer / "kernel" / "common" / "examples" / "example_usage.py.jinja").unlink()
    before = contents(plugin)
    found = update(plugin)
    replace = Path.replace

    def full(path: Path, target: Path) -> Path:
        if Path(target).name == "base.zip":  # the last one
            raise OSError(errno.ENOSPC, "No space left on device", str(target))
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(StorageError, match="No space left"):
        found.write()
    monkeypatch.undo()
    assert contents(plugin) == before


def test_a_damaged_copy_is_told(plugin: Path) -> None:
    path = plugin / ".brainsmith" / "base.zip"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ConfigurationError, match="what the template made of this plugin"):
        update(plugin)


def test_a_copy_that_swells_is_not_unpacked(plugin: Path) -> None:
    with zipfile.ZipFile(
        plugin / ".brainsmith" / "base.zip", "w", compression=zipfile.ZIP_DEFLATED
    ) as archive:
        archive.writestr("docs/README.md", bytes(17 << 20))
    with pytest.raises(ConfigurationError, match="what the template made of this plugin"):
        update(plugin)


def test_it_works_from_a_folder_inside(plugin: Path, brainsmith: Run) -> None:
    told = json.loads(brainsmith("update-plugin", "--json", cwd=plugin / "src").stdout)
    assert told["success"] and not told["written"] and Path(told["folder"]) == plugin
