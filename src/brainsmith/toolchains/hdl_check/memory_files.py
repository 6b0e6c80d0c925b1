"""Memory files: `$readmemh` reads the file that a parameter names, and no other.

A name that is given to `$readmemh` belongs to a parameter, whichever module has it, and so do those
whose values are passed on to it. Such a name stands in these places only, by which its value
is a plain file name, or what the implementation's `memories` gave to the top:

- in `$readmemh(NAME, ...)`;
- in its declaration, `parameter string NAME = "plain_name.mem"`, or without a default;
- in what an instance gets, `.NAME("plain_name.mem")` and `.NAME(OTHER)`, `OTHER` being another,
  or a choice among such, `.NAME(I == 0 ? FIRST : SECOND)`;
- beside `==` or `!=`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from brainsmith.errors import PluginSecurityError
from brainsmith.toolchains.hdl import Source
from brainsmith.toolchains.hdl_check.allowed import FILE_NAME, READERS
from brainsmith.toolchains.hdl_check.tokens import Token, refusal

_HINT = (
    "name the file by a parameter, 'parameter string NAME = \"\"', that `memories` gives or an "
    'instance passes on by .NAME(OTHER), or by a literal, "plain_name.mem"'
)
_TYPES = frozenset(("string", "logic", "bit", "reg"))
_PARAMETER = frozenset(("parameter", "localparam"))
_NAMES = frozenset(("word", "escaped"))
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")

MAX_NAMES = 256
_MAX_VALUE = 60
_MAX_LIST = 1000

Code = Sequence[Token]


def check_memory_files(sources: Sequence[tuple[Source, Code]]) -> None:
    """Holds the files that the sources read to the rules.

    Args:
        sources: each with its tokens without the comments.

    Raises:
        PluginSecurityError: a file's name may be another than the rules say.
    """
    places = [_Places(source, code) for source, code in sources]
    names = {name for one in places for name in one.read()}
    if not names:
        return
    givers: dict[str, set[str]] = {}
    for one in places:
        one.note_givers(givers)
    waiting = list(names)
    while waiting:  # what is passed on to a file's name is one too
        new = givers.get(waiting.pop(), set()) - names
        names |= new
        waiting += new
        if len(names) > MAX_NAMES:
            raise refusal(sources[0][0], 1, f"more than {MAX_NAMES} names of memory files", _HINT)
    for one in places:
        one.check(names)


def _is_plain(token: Token) -> bool:
    """Whether a token is the literal of a plain file name, or of none."""
    inner = token.text[1:-1]
    return token.kind == "string" and (not inner or FILE_NAME.fullmatch(inner) is not None)


@dataclass(frozen=True)
class _Places:
    """Where the names of files stand in one source."""

    source: Source
    code: Code

    def read(self) -> Iterator[str]:
        """The names that are given to `$readmemh`."""
        for index, token in enumerate(self.code):
            if token.text not in READERS:
                continue
            name = self.code[index + 2] if index + 2 < len(self.code) else token
            plain = self._text(index + 1) == "(" and self._text(index + 3) == ","
            if plain and name.kind in _NAMES:
                yield name.name
            elif not plain or not _is_plain(name):
                raise self._refuse(token, f"'{token.text}' reads a file that is not plainly named")

    def note_givers(self, givers: dict[str, set[str]]) -> None:
        """Adds, for each `.NAME(...)`, the names that may stand for its value."""
        for index in self._given():
            values = {value.name for value in self._values(index) if value.kind in _NAMES}
            givers.setdefault(self.code[index - 1].name, set()).update(values)

    def check(self, names: set[str]) -> None:
        for index in self._given():
            for value in self._values(index) if self.code[index - 1].name in names else ():
                if value.kind not in _NAMES and not _is_plain(value):
                    raise self._refuse(value, f"{value.text} is given to the name of a memory file")
        for index, token in enumerate(self.code):
            if token.text == "#" and token.kind == "mark":
                self._parameters(index)
            elif token.kind == "join":
                self._join(index, names)
            elif token.kind in _NAMES and token.name in names and not self._may_stand(index):
                raise self._refuse(token, f"'{token.name}' names a memory file")

    def _refuse(self, token: Token, what: str) -> PluginSecurityError:
        return refusal(self.source, token.line, f"{what}, which is not allowed here", _HINT)

    def _text(self, index: int) -> str:
        return self.code[index].text if 0 <= index < len(self.code) else ""

    def _given(self) -> Iterator[int]:
        """Where `.NAME(` stands: the place of its bracket."""
        for index in range(1, len(self.code) - 1):
            dot, name, opening = self.code[index - 1 : index + 2]
            if dot.text == "." and opening.text == "(" and name.kind in _NAMES:
                yield index + 1

    def _values(self, index: int) -> Iterator[Token]:
        """What the bracket at `index` may stand for: its token, or those of a choice."""
        piece: list[Token] = []
        depth = 0
        for token in self.code[index + 1 : index + 1 + _MAX_VALUE]:
            mark = token.text if token.kind == "mark" else ""
            depth += (mark in _OPENING) - (mark in _CLOSING) if mark else 0
            if depth < 0 or (depth == 0 and mark in ("?", ":")):
                if mark != "?":
                    yield from piece if piece else (token,)
                piece = []
            else:
                piece.append(token)
            if depth < 0:
                return
        yield self.code[index]  # the value goes on behind the file's end, or for ever

    def _may_stand(self, index: int) -> bool:
        before, after = self._text(index - 1), self._text(index + 1)
        compared = ("==", "!=")
        return (
            (before == "(" and self._text(index - 2) in READERS)
            or (before == "." and after == "(")
            or (before == "(" and after == ")" and self._text(index - 3) == ".")
            or (before in ("?", ":") and after in (":", ")"))
            or self._text(index - 2) + before in compared
            or after + self._text(index + 2) in compared
            or self._is_declared(index)
        )

    def _is_declared(self, index: int) -> bool:
        """Whether the name at `index` is declared there as a parameter, with a plain default."""
        last = index + 1
        if self._text(last) == "=":
            last += 2
            if last > len(self.code) or not _is_plain(self.code[last - 1]):
                return False
        if self._text(last) not in (",", ")", ";"):
            return False
        place = index - 1
        if self._text(place) == "]":
            place = self._before_brackets(place)
        if self._text(place) in _TYPES:
            place -= 1
        return self._text(place) in _PARAMETER or (
            self._text(place) == "," and self._in_list(place)
        )

    def _before_brackets(self, place: int) -> int:
        while place >= 0 and self._text(place) != "[":
            place -= 1
        return place - 1

    def _in_list(self, place: int) -> bool:
        """Whether the comma at `place` stands in a list that begins with `parameter`."""
        depth = 0
        for token in self.code[place : max(0, place - _MAX_LIST) : -1]:
            mark = token.text if token.kind == "mark" else ""
            depth += (mark in _CLOSING) - (mark in _OPENING) if mark else 0
            if depth < 0 or mark == ";":
                return False
            if depth == 0 and token.text in _PARAMETER:
                return True
        return False

    def _parameters(self, index: int) -> None:
        """Values of parameters are given by name: their order would not tell whose they are."""
        after = self._text(index + 1)
        if after == "(":
            fine = self._text(index + 2) in (".", ")") or self._is_header(index)
        else:
            fine = after[:1].isdecimal() or "#" in (after, self._text(index - 1))
        if not fine:
            raise self._refuse(self.code[index], "'#' gives parameters by their order")

    def _is_header(self, index: int) -> bool:
        """Whether the `#` at `index` declares the parameters of a module."""
        return self._text(index - 1) == ";" or self._text(index - 2) in (
            "module", "macromodule", "interface", "automatic", "static",
        )  # fmt: skip

    def _join(self, index: int, names: set[str]) -> None:
        for side in self.code[max(0, index - 1) : index + 2]:
            if side.kind in ("word", "number") and any(side.text in name for name in names):
                raise self._refuse(
                    side, f"'{side.text}' may be pasted to the name of a memory file"
                )
