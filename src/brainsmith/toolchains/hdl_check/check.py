"""Sources of a plugin that is not built in, checked before any tool sees them.

SystemVerilog runs commands, calls C++ and reads and writes files in a simulation, and reads files
when it is compiled. What does so is found by lists of what is allowed, on tokens that no tool reads
in another way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from brainsmith.errors import PluginSecurityError
from brainsmith.toolchains.hdl import Source
from brainsmith.toolchains.hdl_check.allowed import (
    ATTRIBUTES,
    COMMANDS,
    DIRECTIVES,
    KEYWORDS,
    OURS,
    PRAGMA,
    PRAGMAS,
    SYSTEM_NAMES,
)
from brainsmith.toolchains.hdl_check.includes import check_includes
from brainsmith.toolchains.hdl_check.macros import (
    check_directives,
    check_macros,
    check_recursion,
    defined,
)
from brainsmith.toolchains.hdl_check.memory_files import check_memory_files
from brainsmith.toolchains.hdl_check.scopes import check_scopes
from brainsmith.toolchains.hdl_check.tokens import Token, refusal, tokens

MAX_SOURCES = 512
MAX_CHARACTERS = 2_000_000
_MAX_ATTRIBUTE = 500
_MAX_PRAGMA = 500

_INSTEAD = {
    "$readmem": "use $readmemh or $readmemb",
    "$f": "give contents of memories by `memories` of the implementation",
    "$system": "hardware starts no programs",
    "$c": "hardware calls no C++",
    "$dump": "the simulation writes waves when it is asked to",
    "$finish": "use $fatal where a simulation must not go on",
    "$root": "connect modules by their ports",
    "$unit": "declare it in a package",
}


def check_sources(sources: Sequence[Source]) -> None:
    """Refuses what could run programs, or read or write files, or reach into other modules.

    Args:
        sources: all of one implementation, named as the author knows them.

    Raises:
        PluginSecurityError: with the file and line, the offending token and what to write instead.
    """
    _check_sources(tuple(sources))


@lru_cache(maxsize=256)
def _check_sources(sources: tuple[Source, ...]) -> None:
    _check_size(sources)
    files = [_File.of(source) for source in sources]
    known = {name for file in files for name in defined(file.code)}
    for file in files:
        check_directives(file.source, file.code, known)
        file.check()
        check_macros(file.source, file.code)
        check_includes(file.source, file.code, sources)
    pairs = [(file.source, file.code) for file in files]
    check_recursion(pairs)
    check_scopes(pairs)
    check_memory_files(pairs)


def _check_size(sources: Sequence[Source]) -> None:
    characters = sum(len(source.text) for source in sources)
    if len(sources) > MAX_SOURCES or characters > MAX_CHARACTERS:
        raise PluginSecurityError(
            f"an implementation has {len(sources)} sources of {characters} characters",
            where=sources[0].name,
            hint=f"at most {MAX_SOURCES} sources of {MAX_CHARACTERS} characters together",
        )


@dataclass(frozen=True)
class _File:
    """A source with its tokens, and those tokens without the comments."""

    source: Source
    all: Sequence[Token]
    code: Sequence[Token]

    @classmethod
    def of(cls, source: Source) -> _File:
        found = tokens(source)
        return cls(source, found, [token for token in found if token.kind != "comment"])

    def check(self) -> None:
        for token in self.all:
            if token.kind == "comment":
                self._comment(token)
        by_kind: dict[str, Callable[[int, Token], None]] = {
            "word": self._word,
            "escaped": self._word,
            "system": self._system,
            "directive": self._directive,
            "mark": self._mark,
        }
        for index, token in enumerate(self.code):
            checked = by_kind.get(token.kind)
            if checked:
                checked(index, token)

    def _refuse(self, token: Token, what: str, hint: str) -> PluginSecurityError:
        return refusal(self.source, token.line, f"'{token.text}' {what}", hint)

    def _text(self, index: int) -> str:
        return self.code[index].text if 0 <= index < len(self.code) else ""

    def _comment(self, token: Token) -> None:
        pragma = PRAGMA.match(token.text)
        if pragma is None:
            return
        if len(token.text) > _MAX_PRAGMA or not PRAGMAS.fullmatch(token.text, pragma.end()):
            raise self._refuse(
                token,
                "is an instruction to Verilator that a plugin's sources may not hold",
                "remove it, or begin the comment with another word",
            )

    def _word(self, index: int, token: Token) -> None:
        name = token.name
        if token.kind == "word" and name in KEYWORDS:
            raise self._refuse(
                token, f"{KEYWORDS[name]}, which is not allowed", "write it as modules and ports"
            )
        if COMMANDS in name.lower():
            raise self._refuse(token, "is a name that Yosys takes for commands", "rename it")
        if name.startswith(OURS):
            raise self._refuse(
                token, f"begins with '{OURS}' as what is generated around a plugin", "rename it"
            )
        following = self.code[index + 1] if index + 1 < len(self.code) else None
        if name == "import" and following and following.kind == "string":
            raise self._refuse(token, "of another language is not allowed", "write it as hardware")

    def _system(self, index: int, token: Token) -> None:
        if token.text == "$" and not token.define and self._text(index + 1) == "]":
            return
        if token.text not in SYSTEM_NAMES:
            hints = (hint for prefix, hint in _INSTEAD.items() if token.text.startswith(prefix))
            raise self._refuse(
                token,
                "is not allowed in a plugin's sources",
                next(hints, "allowed are: " + " ".join(sorted(SYSTEM_NAMES))),
            )
        after = self.code[index + 1] if index + 1 < len(self.code) else None
        if after is None or (after.start == token.end and after.kind not in ("mark", "comment")):
            raise self._refuse(token, "touches what follows it", "put a space between the two")

    def _directive(self, index: int, token: Token) -> None:
        follows = DIRECTIVES.get(token.text)
        if follows is None:
            return  # a macro, which has rules of its own
        found = follows.match(self.source.text, token.end)
        if not found or self.source.text[found.end() : found.end() + 1] not in ("", *" \t\r\n/"):
            raise self._refuse(
                token,
                "is not followed by what it takes",
                'write it as in: `include "header.svh", `timescale 1ns / 1ps, `ifdef NAME, '
                "`default_nettype none",
            )

    def _mark(self, index: int, token: Token) -> None:
        if token.text != "(" or self._text(index + 1) != "*":
            return
        star, name = self.code[index + 1], self.code[index + 2 : index + 3]
        if star.start == token.end and name and name[0].kind in ("word", "escaped"):
            self._attributes(index + 2)

    def _attributes(self, index: int) -> None:
        """The names of an attribute instance that begins at `index`, until its `*)`."""
        depth, expected = 0, True
        end = min(index + _MAX_ATTRIBUTE, len(self.code))
        while index < end:
            token = self.code[index]
            if not depth and token.text == "*" and self._text(index + 1) == ")":
                return
            if expected and token.name.lower() not in ATTRIBUTES:
                break
            expected = not depth and token.text == ","
            depth += (token.text in "([{") - (token.text in ")]}") if token.kind == "mark" else 0
            index += 1
        token = self.code[min(index, end - 1)]
        raise self._refuse(
            token,
            "is not an attribute that a plugin's sources may give",
            "allowed are: " + " ".join(sorted(ATTRIBUTES)),
        )
