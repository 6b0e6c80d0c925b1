"""File scope: what a source declares outside of modules is seen by the sources of all plugins.

So nothing is declared there but modules, interfaces and packages, and a name before `::` is a
package of the same implementation: what a name stands for is decided by the plugin's own sources.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from brainsmith.errors import PluginSecurityError
from brainsmith.toolchains.hdl import Source
from brainsmith.toolchains.hdl_check.allowed import DIRECTIVES, HEADERS
from brainsmith.toolchains.hdl_check.declarations import DECLARING, ENDS, declared_names
from brainsmith.toolchains.hdl_check.tokens import Token, refusal

_UNITS = frozenset(("import", "timeunit", "timeprecision"))
_KEYWORDS = DECLARING | frozenset(ENDS.values())

Code = Sequence[Token]


def check_scopes(sources: Sequence[tuple[Source, Code]]) -> None:
    """Holds what the sources declare, and where they look for names, to the rules.

    Args:
        sources: all of an implementation, each with its tokens without the comments.

    Raises:
        PluginSecurityError: a source breaks them.
    """
    packages = {name for source, _ in sources for name in declared_names(source)}
    files = [_File(source, code) for source, code in sources]
    headers = {PurePosixPath(file.source.name).name: file for file in files if file.is_header}
    waiting = [file for file in files if not file.is_header]
    for file in files:
        file.check_packages(packages)
        if file.is_header:
            file.check_header()
    seen: set[str] = set()
    while waiting:
        new = waiting.pop().check_outside() - seen
        seen |= new
        waiting += _of(headers, new)


def _of(headers: Mapping[str, _File], names: set[str]) -> list[_File]:
    return [headers[name] for name in names if name in headers]


@dataclass(frozen=True)
class _File:
    source: Source
    code: Code

    @property
    def is_header(self) -> bool:
        return self.source.name.endswith(HEADERS)

    def check_header(self) -> None:
        for token in self.code:
            if token.kind == "word" and token.text in _KEYWORDS:
                raise self._refuse(token, "stands in a header", "write it in a source (.sv, .v)")

    def check_packages(self, packages: set[str]) -> None:
        for index in range(len(self.code) - 1):
            first, second = self.code[index : index + 2]
            if first.text != ":" or second.text != ":" or first.end != second.start:
                continue
            owner = self.code[index - 1] if index else first
            if owner.name not in packages:
                raise self._refuse(
                    owner,
                    "is no package of these sources",
                    "add the package to the implementation's sources",
                )

    def check_outside(self) -> set[str]:
        """Checks what stands outside of modules; returns the headers that are included there."""
        headers: set[str] = set()
        index = 0
        while index < len(self.code):
            token = self.code[index]
            if token.define or token.text == ";":
                index += 1
            elif token.text in DIRECTIVES:
                if token.text == "`include":
                    headers.add(self.code[index + 1].text[1:-1])
                index = self._behind_directive(index)
            elif token.kind == "word" and token.text in ENDS:
                index = self._behind(index, ENDS[token.text])
            elif token.kind == "word" and token.text in _UNITS:
                index = self._behind(index, ";")
            elif self._is_attribute(index):
                index = self._behind(index, ")")
            else:
                raise self._refuse(
                    token,
                    "stands outside of modules and packages",
                    "put declarations into a package, and one module after the other",
                )
        return headers

    def _refuse(self, token: Token, what: str, hint: str) -> PluginSecurityError:
        return refusal(self.source, token.line, f"'{token.text}' {what}", hint)

    def _is_attribute(self, index: int) -> bool:
        return [token.text for token in self.code[index : index + 2]] == ["(", "*"]

    def _behind(self, index: int, end: str) -> int:
        """The place behind the first `end`; behind the name of a module after that."""
        while index < len(self.code) and self.code[index].text != end:
            index += 1
        following = [token.text for token in self.code[index + 1 : index + 3]]
        if end in _KEYWORDS and following[:1] == [":"]:
            return index + 3
        return index + 1

    def _behind_directive(self, index: int) -> int:
        token = self.code[index]
        match = DIRECTIVES[token.text].match(self.source.text, token.end)
        end = match.end() if match else token.end
        index += 1
        while index < len(self.code) and self.code[index].start < end:
            index += 1
        return index
