"""SystemVerilog as tokens, read so that no tool can read the same text in another way.

Where tools differ, or where a tool reads on in another mode than the standard's, the text is
refused instead of guessed at:

1. Verilator drops a Ctrl-Z and the bytes of a byte order mark wherever they stand, and pastes
   what is on both sides of them; a lone carriage return ends a comment in one tool only.
2. Verilator knows strings between triple quotes, and looks for the end of an attribute or of a
   table of a primitive inside strings too.
3. A number may run into the word behind it, a name may hold a `$`, an escaped name may be a path
   under which Verilator looks for the module.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from brainsmith.errors import PluginSecurityError
from brainsmith.toolchains.hdl import Source

_KINDS = re.compile(
    r"""
      (?P<space>[ \t]+)
    | (?P<newline>\r?\n)
    | (?P<comment>//[^\r\n]*|/\*.*?\*/)
    | (?P<string>"(?:[^"\\\r\n]|\\[^\r\n])*")
    | (?P<continuation>\\\r?\n)
    | (?P<escaped>\\[^ \t\r\n]+)
    | (?P<system>\$[\w$]*)
    | (?P<join>``)
    | (?P<directive>`[A-Za-z_][\w$]*)
    | (?P<word>[A-Za-z_][\w$]*)
    | (?P<number>
        '[sS]?(?:[bB][ \t]*[01xXzZ?_]*|[oO][ \t]*[0-7xXzZ?_]*|[dD][ \t]*[0-9xXzZ?_]*
                |[hH][ \t]*[0-9a-fA-FxXzZ?_]*)
      | '[01xXzZ](?!\w)
      | [0-9][0-9_]*(?:\.[0-9][0-9_]*)?(?:[eE][+-]?[0-9][0-9_]*)?(?:[munpf]?s(?!\w))?
      )
    | (?P<mark>[!-~])
    """,
    re.X | re.S | re.A,
)
# A NUL hides the rest of a buffer from Verilator; lone surrogates are no text.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_ESCAPED = re.compile(r"\\(?!\$)[\w$.\[\]:<>#@+-]+", re.A)
_ESCAPES = re.compile(r"\\(?![nt\\\"])")
# Verilator ends an attribute and a table at these, even inside a string.
_ENDS = ("*)", "endtable")


class Token(NamedTuple):
    """A piece of a source.

    Args:
        kind: "word", "escaped" (a name behind a backslash), "system" (from `$` on), "directive"
            (from a backtick on), "join" (two backticks), "string", "number", "comment" or "mark",
            one character of anything else.
        text: as it stands in the source.
        line: counted from 1.
        start: where it begins in the source's text.
        define: which `define of the source it belongs to, counted from 1; 0 outside of any.
    """

    kind: str
    text: str
    line: int
    start: int
    define: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def name(self) -> str:
        """A word or an escaped name as the tools compare it."""
        return self.text[1:] if self.kind == "escaped" else self.text


def refusal(source: Source, line: int, what: str, hint: str) -> PluginSecurityError:
    """The error for a construct at a line of a source."""
    return PluginSecurityError(what, where=f"{source.name}:{line}", hint=hint)


def tokens(source: Source) -> list[Token]:
    """The tokens of a source, without white space.

    Raises:
        PluginSecurityError: a character, string, name or number that tools read differently.
    """
    return list(_tokens(source))


def _tokens(source: Source) -> Iterator[Token]:
    text, size = source.text, len(source.text)
    control = _CONTROLS.search(text.replace("\r\n", "\n\n"))
    if control:
        start = control.start()
        raise _foreign(source, text.replace("\r\n", " \n").count("\n", 0, start) + 1, text[start])
    place, line, define, defines = 0, 1, 0, 0
    while place < size:
        match = _KINDS.match(text, place)
        if match is None or match.lastgroup is None:
            raise _foreign(source, line, text[place])
        kind, piece, place = match.lastgroup, match[0], match.end()
        if kind == "space":
            continue
        if kind == "newline":
            line, define = line + 1, 0
            continue
        if kind == "continuation":
            if not define:
                raise _foreign(source, line, "\\")
            line += 1
            continue
        if piece == "`define" and not define:
            defines += 1
            define = defines
        token = Token(kind, piece, line, match.start(), define)
        _check(source, token, text[place : place + 1])
        yield token
        line += piece.count("\n") if kind == "comment" else 0


def _check(source: Source, token: Token, after: str) -> None:
    checked = _CHECKS.get(token.kind)
    problem = checked(token, after) if checked else None
    if problem:
        what, hint = problem
        raise refusal(source, token.line, what, hint)


_Problem = tuple[str, str] | None


def _string(token: Token, after: str) -> _Problem:
    inner = token.text[1:-1]
    if not inner and after == '"':
        return "a string in triple quotes is not allowed", "write it between single quotes"
    if _ESCAPES.search(inner.replace("\\\\", "")):
        return (
            f"the string {token.text} holds an escape that not all tools read alike",
            r"use \n, \t, \\ and \" only",
        )
    for end in _ENDS:
        if end in inner:
            return (
                f"the string {token.text} holds '{end}', which Verilator reads as code "
                "within attributes and tables",
                "write it apart",
            )
    if "DPI" in inner:
        return "functions of another language are not allowed ('DPI')", "write them as hardware"
    return None


def _escaped(token: Token, after: str) -> _Problem:
    if _ESCAPED.fullmatch(token.text):
        return None
    return (
        f"the escaped name '{token.text}' is not allowed",
        r"use letters, digits and any of _ . [ ] : < > # @ + - behind the backslash",
    )


def _word(token: Token, after: str) -> _Problem:
    if "$" not in token.text:
        return None
    return f"the name '{token.text}' holds a '$'", "use letters, digits and underscores"


def _number(token: Token, after: str) -> _Problem:
    if not (after.isalnum() or after in ("_", "$")) or not after:
        return None
    return f"the number '{token.text}' runs into what follows it", "put a space between the two"


def _comment(token: Token, after: str) -> _Problem:
    if not token.define:
        return None
    if token.text.startswith("//") and token.text.endswith("\\"):
        return (
            "a comment up to the line's end ends with a backslash within a macro",
            "write /* ... */ within macros of several lines",
        )
    if "\n" in token.text:
        return "a comment within a macro goes over several lines", "write one comment a line"
    return None


def _mark(token: Token, after: str) -> _Problem:
    if token.text == '"':
        return "a string does not end on its line", "end it, and join the parts by { , }"
    if token.text == "\\":
        return "a backslash stands alone", "remove it, or the spaces behind it"
    if token.text == "/" and after == "*":
        return "a comment does not end", "end it with */"
    if token.text == "`":
        return (
            "a backtick stands apart from a name, or makes text to a string",
            "write the name right behind it, and strings as they are",
        )
    return None


_CHECKS = {
    "string": _string,
    "escaped": _escaped,
    "word": _word,
    "number": _number,
    "comment": _comment,
    "mark": _mark,
}


def _foreign(source: Source, line: int, character: str) -> PluginSecurityError:
    if character == "\\":
        return refusal(
            source, line, "a line goes on with a backslash outside a macro", "remove the backslash"
        )
    return refusal(
        source,
        line,
        f"the character {character!a} is not allowed here",
        "use printable ASCII, spaces, tabs and ends of lines, and other letters only in comments "
        "and strings",
    )
