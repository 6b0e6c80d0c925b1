"""The structure of a `.bspkg`: a strict parser of the zip format.

A zip file says twice what it holds, and programs differ in which half they believe. This one
accepts a file only where nothing is left to believe:

1. Local headers and file contents lie one behind the other from the first byte, then the central
   directory in the same order, then its end; nothing before, between or behind them.
2. A local header says the same as its entry in the central directory, in every field.
3. No extra fields, comments, data descriptors, encryption, several disks or ZIP64; contents are
   stored or deflated.
4. Entries are regular files: no folders (names imply them), links or devices, no set-user-id.
5. Names keep the rules of `archive_names`; counts, sizes and the ratio of compression have limits.

APPNOTE.TXT 6.3.10 of PKWARE describes the format; the sections of the records are named below.
"""

from __future__ import annotations

import stat
import struct
from dataclasses import dataclass
from typing import NamedTuple, NoReturn

from brainsmith.errors import PluginError
from brainsmith.plugins.archive_names import MAX_NAME_BYTES, check_names

STORED, DEFLATED = 0, 8
UTF8_FLAG = 0x800
DAMAGED = "the file is damaged, or made to mislead: get it again from its author"

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What an archive may demand of the machine that reads it (sizes in bytes).

    Args:
        packed: size of the archive.
        unpacked: size of all its files.
        files: how many files it may hold.
        ratio: how many times as large as the archive its files may be, above `ratio_from`.
        ratio_from: below this size any ratio is harmless.
    """

    packed: int = 64 * _MIB
    unpacked: int = 512 * _MIB
    files: int = 10_000
    ratio: int = 50
    ratio_from: int = 16 * _MIB


LIMITS = Limits()


class End(NamedTuple):
    """End of central directory record (4.3.16)."""

    signature: bytes
    disk: int
    directory_disk: int
    disk_entries: int
    entries: int
    size: int
    offset: int
    comment_length: int


class Central(NamedTuple):
    """Entry of the central directory (4.3.12), without its name."""

    signature: bytes
    made_by: int
    needed: int
    flags: int
    method: int
    time: int
    date: int
    crc: int
    packed: int
    size: int
    name_length: int
    extra_length: int
    comment_length: int
    disk: int
    internal: int
    external: int
    offset: int


class Local(NamedTuple):
    """Local file header (4.3.7), without its name."""

    signature: bytes
    needed: int
    flags: int
    method: int
    time: int
    date: int
    crc: int
    packed: int
    size: int
    name_length: int
    extra_length: int


END = struct.Struct("<4s4H2LH")
CENTRAL = struct.Struct("<4s6H3L5H2L")
LOCAL = struct.Struct("<4s5H3L2H")
END_SIGNATURE, CENTRAL_SIGNATURE, LOCAL_SIGNATURE = b"PK\5\6", b"PK\1\2", b"PK\3\4"
_ZIP64_LOCATOR_SIGNATURE, _ZIP64_LOCATOR_SIZE = b"PK\6\7", 20
_MAX_16, _MAX_32 = 0xFFFF, 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an archive; `start` is where its packed content begins."""

    name: str
    size: int
    packed: int
    crc: int
    method: int
    start: int


def entries_of(data: bytes, source: str, limits: Limits = LIMITS) -> tuple[Entry, ...]:
    """The files of the archive in `data`, all rules of its structure checked.

    Raises:
        PluginError: the bytes break a rule; `source` says where they came from.
    """
    return _Parser(data, source, limits).entries()


class _Parser:
    def __init__(self, data: bytes, source: str, limits: Limits) -> None:
        self.data = data
        self.source = source
        self.limits = limits

    def entries(self) -> tuple[Entry, ...]:
        end = self._end()
        entries = []
        directory, content = end.offset, 0
        for _ in range(end.entries):
            central, raw_name = self._central(directory, len(self.data) - END.size)
            directory += CENTRAL.size + len(raw_name)
            entry = self._entry(central, raw_name, content)
            entries.append(entry)
            content = entry.start + entry.packed
            if content > end.offset:
                self._refuse("the content runs into the central directory", entry.name)
        if content != end.offset:
            self._refuse("bytes lie between the last content and the central directory")
        if directory != len(self.data) - END.size:
            self._refuse("bytes lie between the central directory and its end")
        check_names((entry.name for entry in entries), self.source)
        self._check_sizes(entries)
        return tuple(entries)

    def _end(self) -> End:
        limits, data = self.limits, self.data
        if len(data) > limits.packed:
            self._refuse(f"the archive is larger than {limits.packed // _MIB} MiB")
        if len(data) < END.size or data[-END.size :][:4] != END_SIGNATURE:
            self._refuse("the archive does not end with the end record of a zip file")
        end = End._make(END.unpack_from(data, len(data) - END.size))
        locator = len(data) - END.size - _ZIP64_LOCATOR_SIZE
        if data[max(0, locator) :][:4] == _ZIP64_LOCATOR_SIGNATURE or (
            _MAX_16 in end[1:5] or _MAX_32 in (end.size, end.offset)
        ):
            self._refuse("the archive uses ZIP64")
        if end.comment_length:
            self._refuse("the archive has a comment")
        if end.disk or end.directory_disk or end.disk_entries != end.entries:
            self._refuse("the archive is one of several disks")
        if not 1 <= end.entries <= limits.files:
            self._refuse(f"the archive holds {end.entries} files: 1 to {limits.files} are allowed")
        if end.offset + end.size != len(data) - END.size:
            self._refuse("the central directory is not where the end record says")
        return end

    def _central(self, offset: int, limit: int) -> tuple[Central, bytes]:
        if offset + CENTRAL.size > limit:
            self._refuse("the central directory is cut off")
        central = Central._make(CENTRAL.unpack_from(self.data, offset))
        if central.signature != CENTRAL_SIGNATURE:
            self._refuse("an entry of the central directory has a wrong signature")
        start = offset + CENTRAL.size
        raw_name = self.data[start : min(start + central.name_length, limit)]
        if len(raw_name) != central.name_length or len(raw_name) > MAX_NAME_BYTES:
            self._refuse("a name is cut off or too long", raw_name[:80])
        self._check_central(central, raw_name)
        return central, raw_name

    def _check_central(self, central: Central, name: bytes) -> None:
        if _MAX_32 in (central.packed, central.size, central.offset) or central.disk == _MAX_16:
            self._refuse("the entry uses ZIP64", name)
        if central.extra_length or central.comment_length:
            self._refuse("the entry has extra fields or a comment", name)
        if central.flags & 0x2041:
            self._refuse("the entry is encrypted", name)
        if central.flags & 0x8:
            self._refuse("the entry has a data descriptor", name)
        if central.flags & ~UTF8_FLAG or central.needed > 20:
            self._refuse("the entry needs a feature that a package may not use", name)
        if central.method not in (STORED, DEFLATED):
            self._refuse(f"the entry uses compression method {central.method}", name)
        if central.method == STORED and central.packed != central.size:
            self._refuse("the entry is stored, but its two sizes differ", name)
        if central.disk or central.internal > 1:
            self._refuse("the entry lies on another disk or has unknown attributes", name)
        self._check_kind(central, name)

    def _check_kind(self, central: Central, name: bytes) -> None:
        """Only regular files: the system that wrote the archive, then its mode or DOS bits."""
        system, mode = central.made_by >> 8, central.external >> 16
        if name.endswith(b"/") or central.external & 0x10:
            self._refuse("the entry is a folder: a package holds files only", name)
        if central.external & 0xFFDE or system not in (0, 3):
            self._refuse("the entry has attributes that a package may not use", name)
        if mode and (stat.S_IFMT(mode) != stat.S_IFREG or mode & 0o7000):
            self._refuse("the entry is a link or no regular file, or changes its user", name)

    def _entry(self, central: Central, raw_name: bytes, offset: int) -> Entry:
        """The entry, whose local header must begin at `offset` and say the same."""
        if central.offset != offset:
            self._refuse("bytes lie before the entry, or it overlaps another one", raw_name)
        if offset + LOCAL.size > len(self.data):
            self._refuse("the local header is cut off", raw_name)
        local = Local._make(LOCAL.unpack_from(self.data, offset))
        if local.signature != LOCAL_SIGNATURE:
            self._refuse("the local header has a wrong signature", raw_name)
        for name, value in local._asdict().items():
            if name != "signature" and value != getattr(central, name):
                what = f"local header and central directory differ in '{name}'"
                self._refuse(what, raw_name)
        start = offset + LOCAL.size
        if self.data[start : start + len(raw_name)] != raw_name:
            self._refuse("local header and central directory differ in 'name'", raw_name)
        return Entry(
            self._decoded(raw_name, central.flags),
            central.size,
            central.packed,
            central.crc,
            central.method,
            start + len(raw_name),
        )

    def _decoded(self, raw_name: bytes, flags: int) -> str:
        try:
            return raw_name.decode("utf-8" if flags & UTF8_FLAG else "ascii")
        except UnicodeDecodeError:
            self._refuse("the name is neither ASCII nor marked as UTF-8 and valid", raw_name)

    def _check_sizes(self, entries: list[Entry]) -> None:
        limits, total = self.limits, sum(entry.size for entry in entries)
        if total > limits.unpacked:
            self._refuse(f"the files are larger than {limits.unpacked // _MIB} MiB together")
        if total > limits.ratio_from and total > limits.ratio * len(self.data):
            self._refuse(f"the files are more than {limits.ratio} times as large as the archive")

    def _refuse(self, what: str, name: bytes | str = b"") -> NoReturn:
        where = f"{self.source}: {ascii(name).removeprefix('b')}" if name else self.source
        raise PluginError(what, where=where, hint=DAMAGED)
