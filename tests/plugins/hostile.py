"""Archives that lie: each is named for its attack, and comes with a part of the refusal's text.

`Member` and `build` write a zip file field by field, so that any field can say what is not so.
"""

from __future__ import annotations

import stat
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

END = struct.Struct("<4s4H2LH")
CENTRAL = struct.Struct("<4s6H3L5H2L")
LOCAL = struct.Struct("<4s5H3L2H")
ZIP64_END = struct.Struct("<4sQ2H2L4Q")
ZIP64_LOCATOR = struct.Struct("<4sLQL")

MANIFEST = b"name: lens\nversion: 1.0.0\n"
REGULAR = stat.S_IFREG | 0o644


def deflated(data: bytes) -> bytes:
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflater.compress(data) + deflater.flush()


@dataclass(frozen=True)
class Member:
    """One entry. `local` and `central` override single fields of its two headers.

    `gap` lies before the local header, `raw` replaces the packed content.
    """

    name: bytes
    data: bytes = b"hello\n"
    method: int = 0
    flags: int = 0x800
    mode: int = REGULAR
    gap: bytes = b""
    tail: bytes = b""
    raw: bytes | None = None
    extra: bytes = b""
    comment: bytes = b""
    local_name: bytes | None = None
    local_extra: bytes | None = None
    local: Mapping[str, int] = field(default_factory=dict)
    central: Mapping[str, int] = field(default_factory=dict)
    both: Mapping[str, int] = field(default_factory=dict)

    @property
    def packed(self) -> bytes:
        if self.raw is not None:
            return self.raw
        return deflated(self.data) if self.method == 8 else self.data

    def fields(self) -> dict[str, int]:
        facts = {
            "needed": 20, "flags": self.flags, "method": self.method, "time": 0, "date": 33,
            "crc": zlib.crc32(self.data), "packed": len(self.packed), "size": len(self.data),
        }  # fmt: skip
        return {**facts, **self.both}

    def local_header(self) -> bytes:
        name = self.name if self.local_name is None else self.local_name
        extra = self.extra if self.local_extra is None else self.local_extra
        facts = {**self.fields(), "name": len(name), "extra": len(extra), **self.local}
        signature = facts.pop("signature", 0x04034B50).to_bytes(4, "little")
        return LOCAL.pack(signature, *facts.values()) + name + extra

    def central_header(self, offset: int) -> bytes:
        facts = {
            "made_by": 3 << 8 | 20, **self.fields(),
            "name": len(self.name), "extra": len(self.extra), "comment": len(self.comment),
            "disk": 0, "internal": 0, "external": self.mode << 16, "offset": offset,
            **self.central,
        }  # fmt: skip
        signature = facts.pop("signature", 0x02014B50).to_bytes(4, "little")
        return CENTRAL.pack(signature, *facts.values()) + self.name + self.extra + self.comment


def build(
    members: Sequence[Member],
    *,
    prefix: bytes = b"",
    before_directory: bytes = b"",
    before_end: bytes = b"",
    suffix: bytes = b"",
    comment: bytes = b"",
    order: Sequence[int] | None = None,
    end: Mapping[str, int] | None = None,
) -> bytes:
    """A zip file of `members`; `order` is that of the central directory."""
    content, offsets = bytearray(prefix), []
    for member in members:
        content += member.gap
        offsets.append(len(content))
        content += member.local_header() + member.packed + member.tail
    content += before_directory
    directory = b"".join(
        members[i].central_header(offsets[i]) for i in order or range(len(members))
    )
    facts = {
        "disk": 0, "directory_disk": 0, "disk_entries": len(members), "entries": len(members),
        "size": len(directory), "offset": len(content), "comment": len(comment), **(end or {}),
    }  # fmt: skip
    record = END.pack(b"PK\5\6", *facts.values())
    return bytes(content) + directory + before_end + record + comment + suffix


def package(*members: Member, **options: object) -> bytes:
    """A valid package, but for what `members` and `options` change."""
    return build((Member(b"brainsmith.yaml", MANIFEST), *members), **options)  # type: ignore[arg-type]


class Attack(NamedTuple):
    """A hostile archive and a pattern that the refusal must match."""

    data: bytes
    reason: str


def _pair(one: str, other: str, reason: str) -> Attack:
    return Attack(package(Member(one.encode()), Member(other.encode(), b"other\n")), reason)


_NAMES: dict[str, dict[str, str | bytes]] = {
    "empty part, '.' or '..'": {
        "parent-folder": "../evil.py",
        "parent-folder-inside": "src/../../evil.py",
        "parent-folder-at-the-end": "src/..",
        "dot-part": "src/./evil.py",
        "empty-part": "src//evil.py",
    },
    "absolute": {
        "absolute": "/etc/cron.d/evil",
        "absolute-twice": "//host/share/evil",
    },
    "1 to 512 bytes": {
        "empty-name": "",
    },
    "control characters": {
        "backslash": "src\\evil.py",
        "backslash-parent": "..\\..\\evil.py",
        "drive": "C:evil.py",
        "alternate-data-stream": "kernel.py:evil",
        "null-byte": b"kernel.py\0.txt",
        "newline": b"kernel.py\nevil",
        "terminal-escape": b"\x1b[2Jkernel.py",
        "delete-character": b"kernel\x7f.py",
        "wildcard": "kernel*.py",
        "right-to-left-override": "kernel\u202eyp.exe",
        "zero-width-space": "ker\u200bnel.py",
        "variation-selector-tag": "kernel\U000e0041.py",
        "private-use": "kernel\ue000.py",
        "unassigned": "kernel\u0378.py",
        "fraction-slash": "src\u2044evil.py",
        "fullwidth-parent": "\uff0e\uff0e/evil.py",
    },
    "normal form": {
        "fullwidth-letters": "\uff4bernel.py",
        "ligature": "\ufb01lter.py",
        "decomposed-name": "cafe\u0301.py",
    },
    "device": {
        "device": "src/CON",
        "device-with-suffix": "nul.txt",
        "device-with-digit": "Com1.py",
    },
    "space or a dot": {
        "trailing-dot": "src/kernel.py.",
        "trailing-space": "src/kernel.py ",
    },
    "begin with a space": {
        "leading-space": " kernel.py",
    },
    "too long": {
        "long-name": "/".join(["a" * 200] * 3),
    },
    "longer than 255": {
        "long-part": "a" * 300,
    },
    "deeper than 16": {
        "deep-name": "/".join("a" * 17),
    },
    "bytecode": {
        "bytecode": "src/__pycache__/kernel.cpython-311.pyc",
        "bytecode-instead-of-source": "src/kernel.pyc",
    },
    "neither ASCII nor marked": {
        "not-utf8": b"kernel\xff.py",
        "overlong-utf8": b"..\xc0\xafevil.py",
        "surrogate": b"kernel\xed\xa0\x80.py",
    },
    "clashes with 'brainsmith.yaml'": {
        "manifest-in-capitals": "Brainsmith.YAML",
    },
}


def _names() -> Iterator[tuple[str, Attack]]:
    for reason, names in _NAMES.items():
        for kind, name in names.items():
            raw = name if isinstance(name, bytes) else name.encode()
            yield kind, Attack(package(Member(raw)), reason)
    yield "code-page", Attack(package(Member(b"caf\x82.py", flags=0)), "neither ASCII nor marked")
    yield "name-twice", _pair("a.py", "a.py", "there twice")
    yield "manifest-twice", _pair("b.py", "brainsmith.yaml", "there twice")
    yield "names-differ-by-case", _pair("a.py", "A.py", "clashes")
    yield "names-differ-by-sharp-s", _pair("maß.py", "mass.py", "clashes")
    yield "folders-differ-by-case", _pair("src/a.py", "SRC/b.py", "clashes")
    yield "file-is-a-folder", _pair("src", "src/a.py", "is a file already")
    yield "folder-is-a-file", _pair("src/a.py", "src", "that of a folder")


def _kinds() -> Iterator[tuple[str, Attack]]:
    for kind, mode in {
        "link": stat.S_IFLNK, "pipe": stat.S_IFIFO, "device-node": stat.S_IFBLK,
        "socket": stat.S_IFSOCK, "character-device": stat.S_IFCHR,
        "folder-by-mode": stat.S_IFDIR,
    }.items():  # fmt: skip
        yield kind, Attack(package(Member(b"x", b"/etc/passwd", mode=mode | 0o755)), "link or no")
    for kind, bit in {"set-user-id": 0o4000, "set-group-id": 0o2000, "sticky": 0o1000}.items():
        yield kind, Attack(package(Member(b"x", mode=REGULAR | bit)), "changes its user")
    yield "folder-entry", Attack(package(Member(b"src/", b"", mode=0)), "is a folder")
    yield "folder-by-dos", Attack(package(Member(b"x", central={"external": 0x10})), "is a folder")
    yield "volume-label", Attack(package(Member(b"x", central={"external": 0x08})), "attributes")
    yield (
        "link-of-a-mac",
        Attack(package(Member(b"x", central={"made_by": 19 << 8 | 20})), "attributes"),
    )
    yield "internal-attributes", Attack(package(Member(b"x", central={"internal": 7})), "unknown")


def _features() -> Iterator[tuple[str, Attack]]:
    feature = "needs a feature"
    for kind, flag, reason in [
        ("encrypted", 0x1, "encrypted"),
        ("strongly-encrypted", 0x40, "encrypted"),
        ("masked-headers", 0x2000, "encrypted"),
        ("data-descriptor", 0x8, "data descriptor"),
        ("patched-data", 0x20, feature),
        ("unknown-flag", 0x8000, feature),
    ]:
        yield kind, Attack(package(Member(b"x", flags=0x800 | flag)), reason)
    for method in (1, 6, 9, 12, 14, 93, 95, 99):
        yield f"method-{method}", Attack(package(Member(b"x", method=method)), f"method {method}")
    yield "newer-version", Attack(package(Member(b"x", both={"needed": 63})), feature)
    path = b"\x75\x70" + struct.pack("<HBL", 5 + 7, 1, zlib.crc32(b"x")) + b"evil.py"
    for kind, extra in {
        "unicode-path": path,
        "zip64-sizes": struct.pack("<HHQQ", 1, 16, 6, 6),
        "unix-times": struct.pack("<HHBL", 0x5455, 5, 1, 0),
        "unix-link": struct.pack("<HH", 0x000D, 12) + b"/etc/passwd\0",
        "padding": b"\0" * 4,
    }.items():
        yield f"extra-{kind}", Attack(package(Member(b"x", extra=extra)), "extra fields")
    yield (
        "extra-in-the-local-header-only",
        Attack(package(Member(b"x", local_extra=path)), "differ in 'extra_length'"),
    )
    yield "comment-of-an-entry", Attack(package(Member(b"x", comment=b"PK")), "comment")
    yield "comment", Attack(package(comment=b"hello"), "end record")
    yield "comment-that-is-an-archive", Attack(package(comment=package()), "is not where")
    for name in ("packed", "size"):
        yield (
            f"zip64-{name}",
            Attack(package(Member(b"x", both={name: 0xFFFFFFFF}, extra=b"")), "ZIP64"),
        )
    yield "zip64-offset", Attack(package(Member(b"x", central={"offset": 0xFFFFFFFF})), "ZIP64")
    yield "zip64-end", Attack(_zip64_end(), "ZIP64")
    yield "zip64-count", Attack(package(end={"entries": 0xFFFF}), "ZIP64")
    yield "two-disks", Attack(package(end={"disk": 1}), "several disks")
    yield "directory-on-another-disk", Attack(package(end={"directory_disk": 1}), "several disks")
    yield "entries-on-another-disk", Attack(package(end={"disk_entries": 0}), "several disks")
    yield "entry-on-another-disk", Attack(package(Member(b"x", central={"disk": 1})), "disk")


def _zip64_end() -> bytes:
    """The 32-bit end record is valid; a ZIP64 record before it leads to another directory."""
    plain = package()
    offset = plain.rindex(b"PK\1\2")
    record = ZIP64_END.pack(b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, len(plain) - 22 - offset, offset)
    locator = ZIP64_LOCATOR.pack(b"PK\6\7", 0, len(plain) - 22, 1)
    return package(before_end=record + locator)


def _differences() -> Iterator[tuple[str, Attack]]:
    for name, value in {
        "needed": 10, "flags": 0, "method": 8, "time": 1, "date": 34, "crc": 1, "packed": 5,
        "size": 5,
    }.items():  # fmt: skip
        yield (
            f"local-{name}-differs",
            Attack(package(Member(b"x", local={name: value})), f"differ in '{name}'"),
        )
    yield (
        "local-name-differs",
        Attack(package(Member(b"good.py", local_name=b"evil.py")), "differ in 'name'"),
    )
    yield (
        "local-name-longer",
        Attack(package(Member(b"x.py", local_name=b"../x.py")), "differ in 'name_length'"),
    )
    yield (
        "local-signature",
        Attack(
            package(Member(b"x", local={"signature": 0x08074B50})),
            "local header has a wrong signature",
        ),
    )
    yield (
        "central-signature",
        Attack(
            package(Member(b"x", central={"signature": 0x05054B50})),
            "entry of the central directory",
        ),
    )


def _structure() -> Iterator[tuple[str, Attack]]:
    yield "empty-file", Attack(b"", "does not end with")
    yield "no-zip", Attack(b"name: lens\nversion: 1.0.0\n" * 4, "does not end with")
    yield "gzip", Attack(zlib.compress(MANIFEST, wbits=31), "does not end with")
    yield "no-files", Attack(build(()), "holds 0 files")
    yield "cut-off", Attack(package()[:-1], "does not end with")
    yield "cut-in-the-middle", Attack(package()[: len(package()) // 2], "does not end with")
    yield "trailing-byte", Attack(package(suffix=b"\n"), "does not end with")
    yield "trailing-archive", Attack(package(suffix=package(Member(b"evil.py"))), "is not where")
    yield "leading-byte", Attack(package(prefix=b"\0"), "bytes lie before")
    yield "leading-script", Attack(package(prefix=b"#!/bin/sh\nevil\n"), "bytes lie before")
    yield "leading-archive", Attack(package(prefix=package(Member(b"evil.py"))), "bytes lie before")
    yield "self-extracting", Attack(
        # Offsets are relative to the archive, as after `cat stub archive`.
        b"#!/bin/sh\n" + package(), "is not where"
    )  # fmt: skip
    yield "gap-between-entries", Attack(package(Member(b"x", gap=b"evil")), "bytes lie before")
    yield (
        "hidden-entry",
        Attack(
            package(Member(b"x", gap=Member(b"evil.py").local_header() + b"hello\n")),
            "bytes lie before",
        ),
    )
    yield (
        "entry-missing-from-the-directory",
        Attack(
            package(before_directory=Member(b"evil.py").local_header() + b"hello\n"),
            "between the last content",
        ),
    )
    yield "bytes-before-the-directory", Attack(package(before_directory=b"evil"), "last content")
    yield "bytes-before-the-end", Attack(package(before_end=b"evil"), "is not where")
    yield "bytes-counted-as-directory", Attack(_padded_directory(), "central directory and its end")
    yield (
        "fewer-entries-counted",
        Attack(package(Member(b"x"), end={"entries": 1, "disk_entries": 1}), "last content"),
    )
    yield "more-entries-counted", Attack(package(end={"entries": 2, "disk_entries": 2}), "cut off")
    yield "other-order", Attack(package(Member(b"x"), order=[1, 0]), "bytes lie before")
    yield "directory-elsewhere", Attack(package(end={"offset": 3}), "is not where")
    yield "directory-behind-the-end", Attack(package(end={"offset": 1 << 30}), "is not where")
    yield "overlapping-entries", Attack(_overlapping(), "overlaps")
    yield "same-content-twice", Attack(_quoted(), "overlaps")
    yield (
        "name-runs-over-the-end",
        Attack(package(Member(b"x", central={"name": 600})), "cut off or too long"),
    )
    yield (
        "content-runs-over-the-end",
        Attack(
            package(Member(b"x", raw=b"", both={"packed": 6, "size": 6})),
            "into the central directory",
        ),
    )
    yield (
        "offset-behind-the-end",
        Attack(package(Member(b"x", central={"offset": 1 << 20})), "bytes lie before"),
    )


def _padded_directory() -> bytes:
    size = len(Member(b"brainsmith.yaml", MANIFEST).central_header(0)) + 4
    return package(before_end=b"evil", end={"size": size})


def _overlapping() -> bytes:
    """Two entries of the directory that share one local header: a small bomb."""
    member = Member(b"x", b"\0" * 1000, 8)
    body = member.local_header() + member.packed
    directory = member.central_header(0) + member.central_header(0)
    return body + directory + END.pack(b"PK\5\6", 0, 0, 2, 2, len(directory), len(body), 0)


def _quoted() -> bytes:
    """Fifield's better zip bomb: the first content quotes the local header of the second."""
    kernel = Member(b"b", b"\0" * 1000, 8)
    inner = kernel.local_header() + kernel.packed
    outer = Member(b"a", inner, raw=inner)
    body = outer.local_header() + inner
    offset = len(outer.local_header())
    directory = outer.central_header(0) + kernel.central_header(offset)
    return body + directory + END.pack(b"PK\5\6", 0, 0, 2, 2, len(directory), len(body), 0)


def _contents() -> Iterator[tuple[str, Attack]]:
    data, zeros = b"print('hello')\n" * 50, b"\0" * (17 << 20)
    stored_sizes = {"packed": 6, "size": 6}
    for kind, member, reason in [
        ("crc", Member(b"x", both={"crc": 1}), "CRC"),
        ("crc-deflated", Member(b"x", data, 8, both={"crc": 1}), "CRC"),
        ("stored-sizes-differ", Member(b"x", both={"size": 4}), "two sizes differ"),
        ("larger-than-stated", Member(b"x", data, 8, both={"size": 10}), "larger than its header"),
        ("smaller-than-stated", Member(b"x", data, 8, both={"size": 10**6}), "smaller than"),
        ("bomb-that-states-little", Member(b"x", zeros, 8, both={"size": 1}), "larger than its"),
        ("bomb", Member(b"x", zeros, 8), "times as large"),
        ("many-gigabytes", Member(b"x", data, 8, both={"size": 0xFFFFFFFE}), "larger than 512"),
        ("bytes-behind-the-stream", Member(b"x", data, 8, raw=deflated(data) + b"evil"), "follow"),
        ("stream-cut-off", Member(b"x", data, 8, raw=deflated(data)[:-1]), "breaks off"),
        ("no-stream", Member(b"x", b"", 8, raw=b""), "breaks off"),
        (
            "broken-stream",
            Member(b"x", data, 8, raw=b"\x07" + deflated(data)),
            "cannot be unpacked",
        ),
        ("two-streams", Member(b"x", data, 8, raw=deflated(data) * 2), "follow"),
        ("zlib-header", Member(b"x", data, 8, raw=zlib.compress(data)), "cannot be unpacked"),
        ("stored-called-deflated", Member(b"x", b"hello\n", 8, raw=b"hello\n"), "cannot be"),
        ("content-behind-a-long-stream", _long_stream(), "follow"),
        ("stored-crc", Member(b"x", both={**stored_sizes, "crc": 0}), "CRC"),
    ]:
        yield f"content-{kind}", Attack(package(member), reason)
    yield (
        "too-many-files",
        Attack(build([Member(str(i).encode(), b"") for i in range(10_001)]), "10001 files"),
    )


def _long_stream() -> Member:
    """Its bytes behind the end of the stream lie in another piece than that end."""
    data = bytes(range(256)) * 4
    stored = zlib.compressobj(0, zlib.DEFLATED, -zlib.MAX_WBITS)
    stream = stored.compress(data * 60) + stored.flush()
    return Member(b"x", data * 60, 8, raw=stream + b"\0" * (1 << 17))


def corpus() -> dict[str, Attack]:
    """All hostile archives by name."""
    found: dict[str, Attack] = {}
    for group in (_names, _kinds, _features, _differences, _structure, _contents):
        for name, attack in group():
            assert name not in found, name
            found[name] = attack
    return found
