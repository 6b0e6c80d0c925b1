"""The archive writer: the same files give the same bytes, and what it writes is read back."""

from __future__ import annotations

import os
import shutil
import time
import zipfile
from pathlib import Path

import pytest

import brainsmith
from brainsmith.errors import ConfigurationError, PluginError, StorageError
from brainsmith.plugins.archive import read_archive, tree_digest
from brainsmith.plugins.archive_format import DEFLATED, STORED, Limits
from brainsmith.plugins.packing import pack, package_files, write_archive

BUILTIN = Path(brainsmith.__path__[0]) / "builtin"


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    folder = tmp_path / "lens"
    (folder / "src/lens").mkdir(parents=True)
    (folder / "brainsmith.yaml").write_text("name: lens\nversion: 1.0.0\n")
    (folder / "src/lens/kernel.py").write_text("x = 1\n" * 100)
    (folder / "src/lens/noise.bin").write_bytes(os.urandom(1000))
    return folder


def test_the_same_files_give_the_same_bytes(plugin: Path, tmp_path: Path) -> None:
    digest = write_archive(plugin, tmp_path / "a.bspkg")
    copy = tmp_path / "elsewhere"
    for path in sorted(plugin.rglob("*"), reverse=True):  # Other times, order, modes.
        if path.is_file():
            target = copy / path.relative_to(plugin)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            target.chmod(0o755)
            os.utime(target, (time.time() - 1e6,) * 2)
    assert write_archive(copy, tmp_path / "b.bspkg") == digest
    assert (tmp_path / "a.bspkg").read_bytes() == (tmp_path / "b.bspkg").read_bytes()
    assert read_archive(tmp_path / "a.bspkg").digest == digest
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_real_plugin_comes_back_as_it_was(tmp_path: Path) -> None:
    write_archive(BUILTIN, tmp_path / "builtin.bspkg")
    digests = read_archive(tmp_path / "builtin.bspkg").unpack(tmp_path / "x")
    files = package_files(BUILTIN)
    assert set(digests) == {*files, "RECORD"}
    assert all((tmp_path / "x" / n).read_bytes() == path.read_bytes() for n, path in files.items())
    with zipfile.ZipFile(tmp_path / "builtin.bspkg") as other:
        assert other.testzip() is None
        assert other.namelist() == sorted({*files, "RECORD"})
    assert tree_digest(digests).startswith("sha256:")


def test_the_digest_of_the_content_does_not_depend_on_the_packing(
    plugin: Path, tmp_path: Path
) -> None:
    from tests.plugins.hostile import Member, build

    files = {name: path.read_bytes() for name, path in package_files(plugin).items()}
    files["RECORD"] = pack(plugin).read("RECORD")
    (tmp_path / "stored").write_bytes(build([Member(n.encode(), d) for n, d in files.items()]))
    stored = read_archive(tmp_path / "stored").unpack(tmp_path / "x")
    packed = pack(plugin)
    assert tree_digest(packed.unpack(tmp_path / "y")) == tree_digest(stored)
    assert packed.digest != read_archive(tmp_path / "stored").digest


def test_noise_is_stored_and_text_is_not(plugin: Path) -> None:
    (plugin / "text.txt").write_text("the same again\n" * 10_000)
    (plugin / "noise.bin").write_bytes(os.urandom(100_000))
    (plugin / "small.txt").write_text("x")
    methods = {entry.name: entry.method for entry in pack(plugin).entries}
    assert [methods[f"{name}.{kind}"] for name, kind in (
        ("text", "txt"), ("noise", "bin"), ("small", "txt"),
    )] == [DEFLATED, STORED, STORED]  # fmt: skip


def test_the_list_of_an_unpacked_package_is_made_anew(plugin: Path) -> None:
    packed = pack(plugin)
    (plugin / "RECORD").write_text("nonsense")
    assert pack(plugin).data == packed.data
    (plugin / "RECORD").rename(plugin / "Record")
    with pytest.raises(PluginError, match="clashes with 'RECORD'"):
        pack(plugin)


def test_what_tools_leave_behind_stays_out(plugin: Path) -> None:
    for name in (
        ".env", ".git/config", "src/lens/__pycache__/kernel.cpython-311.pyc", "build/x.o",
        "dist/lens.whl", "lens.egg-info/PKG-INFO", "lens-1.0.0.bspkg", "brainsmith.lock",
    ):  # fmt: skip
        (plugin / name).parent.mkdir(parents=True, exist_ok=True)
        (plugin / name).write_text("x")
    (plugin / "src/build").mkdir()
    (plugin / "src/build/kept.py").write_text("x")
    assert sorted(package_files(plugin)) == [
        "brainsmith.yaml", "src/build/kept.py", "src/lens/kernel.py", "src/lens/noise.bin",
    ]  # fmt: skip


def test_links_and_special_files_are_refused(plugin: Path) -> None:
    for make in (
        lambda path: path.symlink_to("/etc/passwd"),
        lambda path: path.symlink_to(plugin / "src"),
        os.mkfifo,
    ):
        odd = plugin / "src/odd"
        make(odd)
        with pytest.raises(PluginError, match="no links") as error:
            pack(plugin)
        assert error.value.where == str(odd)
        odd.unlink()


@pytest.mark.parametrize("name", ["a:b.py", "nul.txt", "ﬁlter.py", "end ."])
def test_a_name_that_no_archive_may_hold_is_not_packed(plugin: Path, name: str) -> None:
    (plugin / name).write_text("x")
    with pytest.raises(PluginError, match=r"a name (may|must)"):
        pack(plugin)


def test_a_name_that_is_not_utf8_is_not_packed(plugin: Path) -> None:
    (plugin / os.fsdecode(b"a\xff.py")).write_text("x")
    with pytest.raises(PluginError, match="not UTF-8") as error:
        pack(plugin)
    assert str(error.value).isascii()


def test_what_is_too_large_is_not_packed(plugin: Path) -> None:
    with pytest.raises(PluginError, match="too large"):
        pack(plugin, Limits(unpacked=1200))
    with pytest.raises(PluginError, match="packs to more"):
        pack(plugin, Limits(packed=500))
    with pytest.raises(PluginError, match="4 files"):
        pack(plugin, Limits(files=2))


def test_a_missing_or_unwritable_place_is_told(plugin: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such folder"):
        pack(tmp_path / "missing")
    with pytest.raises(StorageError):
        write_archive(plugin, tmp_path / "missing/x.bspkg")
