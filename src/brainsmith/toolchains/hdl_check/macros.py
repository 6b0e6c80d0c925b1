"""Macros: what they are replaced by is text, so names could be pasted that stand nowhere.

These rules hold the promise that every `$name`, directive, keyword, string and comment that a tool
sees stands as such in the source, whatever the tool's way to expand macros:

1. The name of a macro begins with a capital, and the sources define it. No directive does so:
   whatever is pasted behind the name of a macro names no directive.
2. A body, a default or an argument holds no directive; a `$name` in it is followed by `(` or `;`,
   so that nothing can be pasted behind it; it is not the name of a formal argument.
3. Words are pasted by two backticks only, one side being a literal that has an underscore at the
   seam; no keyword that matters here has one. A macro touches no word, and nothing that begins a
   name touches its end.
4. No `/` touches what is replaced by something from its left, and no body or argument ends with
   one; no string touches what is replaced, and none is empty; no name is escaped.

So comments, strings and words begin and end where the source says it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from brainsmith.errors import PluginSecurityError
from brainsmith.toolchains.hdl import Source
from brainsmith.toolchains.hdl_check.allowed import DIRECTIVES, READERS
from brainsmith.toolchains.hdl_check.declarations import ENDS
from brainsmith.toolchains.hdl_check.tokens import Token, refusal

_OPENING = {"(": ")", "[": "]", "{": "}"}
_CLOSING = frozenset(_OPENING.values())
_ELSEWHERE = READERS | ENDS.keys() | frozenset(ENDS.values())
_APART = "put a space between the two"
_OPERAND = "write the other operand too"


def is_use(token: Token) -> bool:
    """Whether a token is the use of a macro, not a directive."""
    return token.kind == "directive" and token.text[1:2].isupper()


def defined(code: Sequence[Token]) -> set[str]:
    """The names of the macros that a source defines."""
    return {
        name.text
        for define, name in pairwise(code)
        if define.text == "`define" and name.kind == "word"
    }


def check_recursion(files: Iterable[tuple[Source, Sequence[Token]]]) -> None:
    """No macro comes back to itself: tools expand it for ever.

    Args:
        files: the sources, each with its tokens without the comments.

    Raises:
        PluginSecurityError: one does.
    """
    uses: dict[str, set[str]] = {}
    places: dict[str, tuple[Source, Token]] = {}
    for source, code in files:
        name = ""
        for index, token in enumerate(code):
            if token.text == "`define":
                name = code[index + 1].text
                places[name] = source, token
            elif token.define and is_use(token):
                uses.setdefault(name, set()).add(token.text[1:])
    try:
        TopologicalSorter(uses).prepare()
    except CycleError as error:
        name = error.args[1][0]
        source, token = places[name]
        raise refusal(
            source, token.line, f"the macro '{name}' comes back to itself", "write it without"
        ) from None


def check_macros(source: Source, code: Sequence[Token]) -> None:
    """Holds a source's macros to the rules, by which its directives are checked already.

    Args:
        code: its tokens without the comments.

    Raises:
        PluginSecurityError: one breaks them.
    """
    _Macros(source, code).check()


def check_directives(source: Source, code: Sequence[Token], known: set[str]) -> None:
    """Each directive is one that a plugin may use, or a macro of the sources.

    Args:
        code: the source's tokens without the comments.
        known: the macros that the sources define together.

    Raises:
        PluginSecurityError: one is neither.
    """
    for token in code:
        if token.kind != "directive" or token.text == "`define" or token.text in DIRECTIVES:
            continue
        if not is_use(token) or "$" in token.text:
            raise refusal(
                source,
                token.line,
                f"'{token.text}' is not a directive that a plugin's sources may hold",
                "allowed are `define, " + ", ".join(sorted(DIRECTIVES)) + " and macros of the "
                "sources, whose names begin with a capital",
            )
        if token.text[1:] not in known:
            raise refusal(
                source,
                token.line,
                f"'{token.text}' is not defined in these sources",
                "define it, or write what it stands for",
            )


@dataclass(frozen=True)
class _Macros:
    source: Source
    code: Sequence[Token]

    def check(self) -> None:
        closing = _closing_brackets(self.code)
        pasted = [False] * len(self.code)
        for index, token in enumerate(self.code):
            after = self._at(index + 1)
            if after and token.end == after.start:
                self._touch(token, after)
            if token.text == "`define":
                self._define(index, closing, pasted)
            elif token.kind == "join" and not token.define:
                raise self._refuse(token, "outside of a macro", "write the whole name")
            elif is_use(token):
                self._use(index, closing, pasted)
        for index, token in enumerate(self.code):
            if pasted[index]:
                self._pasted(token, self._at(index + 1))

    def _at(self, index: int) -> Token | None:
        return self.code[index] if index < len(self.code) else None

    def _refuse(self, token: Token, what: str, hint: str) -> PluginSecurityError:
        return refusal(self.source, token.line, f"'{token.text}' {what}", hint)

    def _touch(self, token: Token, after: Token) -> None:
        """What stands beside the use of a macro without a space."""
        if is_use(token):
            self._behind(after)
        if after.kind != "directive" or token.kind == "number":
            return
        if token.kind != "mark" or token.text == "/":
            raise self._refuse(token, f"touches {after.text}", _APART)

    def _behind(self, after: Token) -> None:
        if after.kind != "mark" and not after.text.startswith("'"):
            raise self._refuse(after, "touches the macro before it", _APART)

    def _use(self, index: int, closing: Mapping[int, int], pasted: list[bool]) -> None:
        """Marks the arguments of a use."""
        opening = self._at(index + 1)
        if opening is None:
            raise self._refuse(self.code[index], "ends its file", "end it with something else")
        if opening.text != "(":
            return
        close = self._close(index + 1, closing)
        after = self._at(close + 1)
        if after and after.start == self.code[close].end:
            self._behind(after)
        self._mark(range(index + 2, close), pasted)

    def _define(self, index: int, closing: Mapping[int, int], pasted: list[bool]) -> None:
        """Marks the defaults and the body of a macro; checks what concerns its arguments."""
        define, name, body = self.code[index], self._at(index + 1), index + 2
        if name is None or name.kind != "word" or name.define != define.define:
            raise self._refuse(define, "is not followed by a name", "name the macro on its line")
        if not name.text[0].isupper():
            raise self._refuse(
                name, "is the name of a macro and does not begin with a capital", "rename it"
            )
        end = body
        while end < len(self.code) and self.code[end].define == define.define:
            end += 1
        formals: set[str] = set()
        opening = self._at(body)
        if opening and opening.text == "(" and opening.start == name.end and body < end:
            close = self._close(body, closing)
            for before, token in pairwise(self.code[body:close]):
                if before.text in ("(", ",") and token.kind == "word":
                    formals.add(token.text)
            self._mark(range(body + 1, close), pasted)
            body = close + 1
        self._mark(range(body, end), pasted)
        for token, after in pairwise(self.code[body:end]):
            self._beside_formals(token, after, formals)
        for place in range(body, end):
            self._by_formals(place, formals)

    def _mark(self, places: range, pasted: list[bool]) -> None:
        """Marks what is pasted elsewhere; none of it ends with what could begin a comment."""
        if not places:
            return
        if self.code[places[-1]].text == "/":
            raise self._refuse(self.code[places[-1]], "ends what is pasted elsewhere", _OPERAND)
        if pasted[places[0]]:
            return  # arguments within others, or within a body, which are marked
        for place in places:
            pasted[place] = True

    def _close(self, index: int, closing: Mapping[int, int]) -> int:
        if index in closing:
            return closing[index]
        raise self._refuse(
            self.code[index],
            "opens arguments of a macro whose brackets do not match",
            "close each bracket by its own kind, within the macro",
        )

    def _pasted(self, token: Token, after: Token | None) -> None:
        """What stands in a body, a default or an argument."""
        if token.kind == "directive" and not is_use(token):
            raise self._refuse(token, "is a directive within a macro", "write it outside")
        if token.kind == "escaped" or token.text in _ELSEWHERE:
            raise self._refuse(token, "is not allowed within a macro", "write it outside")
        if token.text == '""':
            raise self._refuse(token, "is an empty string within a macro", "write it outside")
        if token.text == "/" and after and after.text == ",":
            raise self._refuse(token, "ends what is pasted elsewhere", _OPERAND)
        if token.kind == "system" and (
            after is None or after.define != token.define or after.text not in ("(", ";")
        ):
            raise self._refuse(
                token, "within a macro has no ( or ; behind it", "write it there, or outside"
            )

    def _by_formals(self, place: int, formals: set[str]) -> None:
        token = self.code[place]
        if token.kind in ("directive", "system") and token.text[1:] in formals:
            raise self._refuse(token, "is named by an argument of its macro", "rename the argument")
        if token.kind == "join":
            left, right = self.code[place - 1], self._at(place + 1)
            if not (right and _joins(left, token, right, formals)):
                raise self._refuse(
                    token,
                    "pastes what may become any word",
                    "paste a literal part that has an underscore at the seam: name``_suffix",
                )

    def _beside_formals(self, token: Token, after: Token, formals: set[str]) -> None:
        if token.end != after.start:
            return
        if after.text in formals and (token.text == "/" or token.kind == "string"):
            raise self._refuse(token, "touches an argument of its macro", _APART)
        if token.text in formals and after.kind == "string":
            raise self._refuse(after, "touches an argument of its macro", _APART)


def _joins(left: Token, join: Token, right: Token, formals: set[str]) -> bool:
    """Whether two backticks stand between words, one of them a literal that no keyword has."""
    if left.end != join.start or join.end != right.start:
        return False
    if not {left.kind, right.kind} <= {"word", "number"}:
        return False
    return (left.text.endswith("_") and left.text not in formals) or (
        (right.text.startswith("_") or right.text.isdecimal()) and right.text not in formals
    )


def _closing_brackets(code: Sequence[Token]) -> dict[int, int]:
    """Where each bracket closes, by its place; those of a macro close within it."""
    closing: dict[int, int] = {}
    opened: dict[int, list[int]] = {}
    for index, token in enumerate(code):
        if token.kind != "mark":
            continue
        if token.text in _OPENING:
            opened.setdefault(token.define, []).append(index)
        elif token.text in _CLOSING and opened.get(token.define):
            opening = opened[token.define].pop()
            if _OPENING[code[opening].text] == token.text:
                closing[opening] = index
            else:
                opened[token.define].clear()
    return closing
