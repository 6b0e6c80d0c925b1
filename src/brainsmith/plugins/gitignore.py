"""The lines of a `.gitignore`, as git itself reads them (gitignore(5), and its `wildmatch.c`).

Each line is compared with one file or folder alone: what lies in an ignored folder is ignored with
it, which is for those to know who walk the tree. pathspec compares whole paths with whole lists and
differs from git where lists take back what they ignore, as in `*`, `!*/`, `!*.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_CLASSES = {
    b"alnum": rb"A-Za-z0-9", b"alpha": rb"A-Za-z", b"blank": rb" \t", b"cntrl": rb"\x00-\x1f\x7f",
    b"digit": rb"0-9", b"graph": rb"!-~", b"lower": rb"a-z", b"print": rb" -~",
    b"punct": rb"!-/:-@\[-`{-~", b"space": rb" \t\n\r\f\v", b"upper": rb"A-Z",
    b"xdigit": rb"0-9A-Fa-f",
}  # fmt: skip
_NOTHING = rb"(?!)"


@dataclass(frozen=True)
class Pattern:
    """One line.

    Attributes:
        ignores: whether it ignores what it matches, or takes it back (`!`).
        folders_only: whether it ends with a slash.
        base_name: whether it has no other slash, and is compared with the last part of a name.
        regex: what has to match as a whole.
    """

    ignores: bool
    folders_only: bool
    base_name: bool
    regex: re.Pattern[bytes]

    def matches(self, name: bytes, *, folder: bool) -> bool:
        """Whether it is meant, by the name relative to the folder of the list."""
        if self.folders_only and not folder:
            return False
        text = name.rpartition(b"/")[2] if self.base_name else name
        return self.regex.fullmatch(text) is not None


def parse(text: bytes) -> tuple[Pattern, ...]:
    """The patterns of a list, in its order; the last one that matches decides."""
    lines = text.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    return tuple(filter(None, map(_pattern, lines)))


def verdict(patterns: tuple[Pattern, ...], name: bytes, *, folder: bool) -> bool | None:
    """Whether a list ignores a file or folder, or takes it back; None where it says nothing."""
    for pattern in reversed(patterns):
        if pattern.matches(name, folder=folder):
            return pattern.ignores
    return None


def _pattern(line: bytes) -> Pattern | None:
    if line.startswith(b"#"):
        return None
    body = _trimmed(line.removesuffix(b"\r"))
    ignores = not body.startswith(b"!")
    body = body if ignores else body[1:]
    folders_only = body.endswith(b"/")
    body = body[:-1] if folders_only else body
    if not body:
        return None
    base_name = b"/" not in body
    regex = re.compile(_regex(body.removeprefix(b"/")), re.DOTALL)
    return Pattern(ignores, folders_only, base_name, regex)


def _trimmed(line: bytes) -> bytes:
    """Without the spaces at its end, but for one behind a backslash."""
    bare = line.rstrip(b" ")
    slashes = len(bare) - len(bare.rstrip(b"\\"))
    return line[: len(bare) + 1] if slashes % 2 else bare


def _regex(glob: bytes) -> bytes:
    try:
        return b"".join(_pieces(glob))
    except ValueError:
        return _NOTHING


def _pieces(glob: bytes) -> Iterator[bytes]:
    """The regular expression in pieces; ValueError for what git takes for no pattern."""
    at = 0
    while at < len(glob):
        char = glob[at : at + 1]
        if char == b"*":
            end = at + len(glob[at:]) - len(glob[at:].lstrip(b"*"))
            deep = end - at > 1 and glob[at - 1 : at] in (b"", b"/") and glob[end:][:1] in b"/"
            if deep and end < len(glob):
                yield rb"(?:.*/)?"
                at = end + 1
                continue
            yield rb".*" if deep else rb"[^/]*"
            at = end
        elif char == b"[":
            piece, at = _bracket(glob, at + 1)
            yield piece
        else:
            if char == b"\\":
                at += 1
                char = glob[at : at + 1]
                if not char:
                    raise ValueError("nothing follows the backslash")
                yield re.escape(char)
            else:
                yield rb"[^/]" if char == b"?" else re.escape(char)
            at += 1


def _bracket(glob: bytes, at: int) -> tuple[bytes, int]:
    """The set of characters whose inside begins at `at`, and where what follows it begins."""
    negated = glob[at : at + 1] in (b"!", b"^") and at < len(glob)
    at += negated
    first, low = at, b""
    members: list[bytes] = []
    while at == first or glob[at : at + 1] != b"]":
        if glob[at : at + 2] == b"[:":
            name, closed, _ = glob[at + 2 :].partition(b":]")
            if closed and b"]" not in name:
                members.append(_CLASSES[name] if name in _CLASSES else _unknown(name))
                at, low = at + len(name) + 4, b""
                continue
        if low and glob[at : at + 1] == b"-" and glob[at + 1 : at + 2] not in (b"]", b""):
            high, at = _member(glob, at + 1)
            if low <= high:
                members.append(re.escape(low) + b"-" + re.escape(high))
            low = b""
            continue
        low, at = _member(glob, at)
        members.append(re.escape(low))
    return _set(members, negated), at + 1


def _member(glob: bytes, at: int) -> tuple[bytes, int]:
    at += glob[at : at + 1] == b"\\"
    if at >= len(glob):
        raise ValueError("the bracket is not closed")
    return glob[at : at + 1], at + 1


def _set(members: list[bytes], negated: bool) -> bytes:
    inside = b"".join(members)
    return rb"(?!/)[" + (b"^" if negated else b"") + inside + b"]"


def _unknown(name: bytes) -> bytes:
    raise ValueError(f"there is no class {name!r}")
