"""The archive reader refuses what two programs could read in two ways, and reads the rest."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import subprocess
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brainsmith.errors import PluginError, StorageError
from brainsmith.plugins.archive import Archive, parse_archive, read_archive, tree_digest
from brainsmith.plugins.archive_format import Limits
from tests.plugins import hostile

CORPUS = hostile.corpus()


def files_below(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def unpacked(data: bytes, folder: Path) -> dict[str, bytes]:
    parse_archive(data, "x.bspkg").unpack(folder)
    return files_below(folder)


def test_the_corpus_is_large_enough() -> None:
    assert len(CORPUS) >= 40


@pytest.mark.parametrize("name", CORPUS)
def test_a_hostile_archive_is_refused_and_leaves_nothing(name: str, tmp_path: Path) -> None:
    attack = CORPUS[name]
    inside = tmp_path / "inside"
    inside.mkdir()
    with pytest.raises(PluginError, match=attack.reason) as refusal:
        parse_archive(attack.data, "evil.bspkg").unpack(inside / "plugin")
    assert list(tmp_path.rglob("*")) == [inside]
    assert str(refusal.value.where).startswith("evil.bspkg")
    assert refusal.value.hint
    assert str(refusal.value).isascii(), "a name may not reach the terminal as it is"


def test_a_valid_archive_is_unpacked_as_zipfile_reads_it(tmp_path: Path) -> None:
    data = hostile.package(
        hostile.Member("src/Überlauf_é.py".encode(), b"x = 1\n" * 100, 8),
        hostile.Member(b"src/empty.sv", b""),
        hostile.Member(b"src/empty-deflated.sv", b"", 8),
        hostile.Member(b"weights.bin", bytes(range(256)) * 1000, 8),
        hostile.Member(b"src/tool.sh", mode=stat.S_IFREG | 0o755, flags=0),
    )
    with zipfile.ZipFile(io.BytesIO(data)) as other:
        assert unpacked(data, tmp_path / "x") == {n: other.read(n) for n in other.namelist()}
    assert not os.access(tmp_path / "x/src/tool.sh", os.X_OK) or os.geteuid() == 0
    assert (tmp_path / "x/src/tool.sh").stat().st_mode & 0o111 == 0


def test_digests_are_those_of_sha256sum(tmp_path: Path) -> None:
    data = hostile.package(hostile.Member(b"b/a.py"), hostile.Member(b"a.py", b"other\n", 8))
    archive = parse_archive(data, "x.bspkg")
    digests = archive.unpack(tmp_path / "x")
    lines = subprocess.run(
        "find * -type f | LC_ALL=C sort | xargs sha256sum",
        shell=True, cwd=tmp_path / "x", capture_output=True, check=True,
    ).stdout  # fmt: skip
    assert tree_digest(digests) == f"sha256:{hashlib.sha256(lines).hexdigest()}"
    assert archive.digest == f"sha256:{hashlib.sha256(data).hexdigest()}"


def test_one_file_is_read_without_unpacking() -> None:
    archive = parse_archive(hostile.package(hostile.Member(b"a.py")), "x.bspkg")
    assert archive.read("brainsmith.yaml") == hostile.MANIFEST
    assert archive.names == ("brainsmith.yaml", "a.py")
    with pytest.raises(PluginError, match=r"holds no 'b\.py'"):
        archive.read("b.py")


def test_files_can_be_left_out(tmp_path: Path) -> None:
    archive = parse_archive(
        hostile.build([hostile.Member(b"a", b"1"), hostile.Member(b"b/c", b"2")]), "x"
    )
    assert set(archive.unpack(tmp_path / "x", without=("b/c",))) == {"a"}
    assert [path.name for path in (tmp_path / "x").iterdir()] == ["a"]


def test_a_nested_archive_is_content_like_any_other(tmp_path: Path) -> None:
    data = hostile.package(hostile.Member(b"inner.zip", hostile.package()))
    assert unpacked(data, tmp_path / "x")["inner.zip"] == hostile.package()


def test_a_folder_that_is_there_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(StorageError):
        parse_archive(hostile.package(), "x.bspkg").unpack(tmp_path)
    assert files_below(tmp_path) == {"mine": b"mine"}


def test_limits_hold(tmp_path: Path) -> None:
    data = hostile.package(hostile.Member(b"a", b"a" * 100))
    assert len(parse_archive(data, "x", Limits(packed=len(data), unpacked=126, files=2)).names) == 2
    for limits, reason in [
        (Limits(packed=len(data) - 1), "archive is larger"),
        (Limits(unpacked=125), "files are larger"),
        (Limits(files=1), "holds 2 files"),
        (Limits(ratio=0, ratio_from=10), "times as large"),
    ]:
        with pytest.raises(PluginError, match=reason):
            parse_archive(data, "x", limits)
    path = tmp_path / "x.bspkg"
    path.write_bytes(data)
    with pytest.raises(PluginError, match="archive is larger"):
        read_archive(path, Limits(packed=10))


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "missing", Path("/dev/zero")):
        with pytest.raises(PluginError, match=r"regular file|cannot read"):
            read_archive(path)


def test_a_file_that_changes_after_it_was_read_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.bspkg"
    path.write_bytes(hostile.package(hostile.Member(b"good.py")))
    archive = read_archive(path)
    path.write_bytes(hostile.package(hostile.Member(b"evil.py")))
    archive.unpack(tmp_path / "x")
    assert set(files_below(tmp_path / "x")) == {"brainsmith.yaml", "good.py"}


pieces = st.binary(max_size=200) | st.integers(0, 3).map(lambda n: b"\0" * (n * 65_536))


@settings(max_examples=60)
@given(st.lists(st.tuples(pieces, st.sampled_from([0, 8]), st.integers(0, 9)), max_size=6))
def test_any_content_comes_out_as_it_went_in(contents: list[tuple[bytes, int, int]]) -> None:
    members = []
    for index, (data, method, level) in enumerate(contents):
        deflater = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
        raw = deflater.compress(data) + deflater.flush() if method else None
        members.append(hostile.Member(f"f{index}".encode(), data, method, raw=raw))
    archive: Archive = parse_archive(hostile.package(*members), "x")
    assert [archive.read(f"f{i}") for i in range(len(contents))] == [c[0] for c in contents]
