"""The archive reader: what a `.bspkg` holds, read once and unpacked without trust.

`archive_format` has checked the structure before anything is unpacked. A content must end exactly
where its entry says, with the size and the CRC that it says; unpacking stops at that size, so no
content can be larger than its header. The file is read once and everything is done with those
bytes: nobody can change it in between.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import zlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NoReturn

from brainsmith.errors import PluginError
from brainsmith.plugins.archive_format import (
    DAMAGED,
    DEFLATED,
    LIMITS,
    Entry,
    Limits,
    entries_of,
)
from brainsmith.plugins.files import storage_errors, sync_folders, write_new

SUFFIX = ".bspkg"

_PIECE = 1 << 16


@dataclass(frozen=True)
class Archive:
    """An archive whose structure keeps all rules. Contents are checked while they are read.

    Args:
        source: where it came from, for errors.
        data: its bytes.
        entries: its files, in its own order.
    """

    source: str
    data: bytes = field(repr=False)
    entries: tuple[Entry, ...]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the archive's bytes, as "sha256:..."."""
        return f"sha256:{hashlib.sha256(self.data).hexdigest()}"

    @property
    def names(self) -> tuple[str, ...]:
        """The files' names."""
        return tuple(entry.name for entry in self.entries)

    def read(self, name: str) -> bytes:
        """The content of one file.

        Raises:
            PluginError: there is no such file, or its content is not what its header says.
        """
        if name not in self._by_name:
            raise PluginError(f"the archive holds no '{name}'", where=self.source)
        return b"".join(self._content(self._by_name[name]))

    @cached_property
    def _by_name(self) -> dict[str, Entry]:
        return {entry.name: entry for entry in self.entries}

    def unpack(self, folder: Path, *, without: Collection[str] = ()) -> dict[str, str]:
        """Unpacks everything into a new folder, down to the disk; returns SHA-256 by name.

        Args:
            folder: must not be there yet. It is removed again if anything fails.
            without: names of files that are left out.

        Raises:
            PluginError: a content is not what its header says.
            StorageError: `folder` is there already, or cannot be written.
        """
        with storage_errors(folder):
            folder.mkdir()
        try:
            with storage_errors(folder):
                digests = {
                    entry.name: self._unpack_one(entry, folder)
                    for entry in self.entries
                    if entry.name not in without
                }
                sync_folders(folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return digests

    def _unpack_one(self, entry: Entry, folder: Path) -> str:
        path = folder / entry.name
        path.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()

        def pieces() -> Iterator[bytes]:
            for piece in self._content(entry):
                digest.update(piece)
                yield piece

        write_new(path, pieces())
        return digest.hexdigest()

    def _content(self, entry: Entry) -> Iterator[bytes]:
        """The unpacked content in pieces; never more than the entry's size."""
        packed = memoryview(self.data)[entry.start : entry.start + entry.packed]
        pieces = _inflated(packed) if entry.method == DEFLATED else _stored(packed)
        size, crc = 0, 0
        try:
            for piece in pieces:
                size += len(piece)
                if size > entry.size:
                    self._refuse_content(entry, "the content is larger than its header says")
                crc = zlib.crc32(piece, crc)
                yield piece
        except zlib.error as error:
            self._refuse_content(entry, f"the content cannot be unpacked: {error}")
        if size != entry.size:
            self._refuse_content(entry, "the content is smaller than its header says")
        if crc != entry.crc:
            self._refuse_content(entry, "the content does not have the CRC that its header says")

    def _refuse_content(self, entry: Entry, what: str) -> NoReturn:
        raise PluginError(what, where=f"{self.source}: {entry.name!a}", hint=DAMAGED)


def _stored(packed: memoryview) -> Iterator[bytes]:
    for start in range(0, len(packed), _PIECE):
        yield bytes(packed[start : start + _PIECE])


def _inflated(packed: memoryview) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    for start in range(0, len(packed), _PIECE):
        feed: bytes | memoryview = packed[start : start + _PIECE]
        full = True
        while not inflater.eof and (feed or full):
            piece = inflater.decompress(feed, _PIECE)
            feed, full = inflater.unconsumed_tail, len(piece) == _PIECE
            yield piece
        if inflater.unused_data or (inflater.eof and start + _PIECE < len(packed)):
            raise zlib.error("bytes follow its end")
    if not inflater.eof:
        raise zlib.error("it breaks off")


def read_archive(path: Path, limits: Limits = LIMITS) -> Archive:
    """Reads an archive and checks its structure.

    Raises:
        PluginError: the file cannot be read, or breaks a rule of the format.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise PluginError("this is no regular file", where=str(path))
            data = stream.read(limits.packed + 1)
    except OSError as error:
        raise PluginError(f"cannot read the archive: {error.strerror}", where=str(path)) from error
    return parse_archive(data, str(path), limits)


def parse_archive(data: bytes, source: str, limits: Limits = LIMITS) -> Archive:
    """The archive in `data`, its structure checked; `source` says where it came from.

    Raises:
        PluginError: the bytes break a rule of the format.
    """
    return Archive(source, data, entries_of(data, source, limits))


def tree_digest(digests: Mapping[str, str]) -> str:
    """SHA-256 of a whole tree from those of its files, as "sha256:...".

    What is hashed is the list that `sha256sum` prints, sorted by the bytes of the names; so it is
    the same however the files were packed.
    """
    lines = sorted((name.encode(), digest) for name, digest in digests.items())
    whole = hashlib.sha256()
    for name, digest in lines:
        whole.update(digest.encode() + b"  " + name + b"\n")
    return f"sha256:{whole.hexdigest()}"
