"""`include within a plugin: each header is one of the implementation's own, by its plain name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import PurePosixPath

from brainsmith.toolchains.hdl import Source
from brainsmith.toolchains.hdl_check.allowed import HEADERS
from brainsmith.toolchains.hdl_check.tokens import Token, refusal, tokens


def included(code: Sequence[Token]) -> list[Token]:
    """The names of the headers that a source includes, each a string."""
    return [
        name
        for directive, name in pairwise(code)
        if directive.text == "`include" and name.kind == "string"
    ]


def check_includes(source: Source, code: Sequence[Token], sources: Sequence[Source]) -> None:
    """Each header that `source` includes is one of `sources`, by its plain name.

    Raises:
        PluginSecurityError: one is not, or two of them have its name.
    """
    headers = Counter(PurePosixPath(one.name).name for one in sources if one.name.endswith(HEADERS))
    for name in included(code):
        found = headers[name.text[1:-1]]
        if found == 1:
            continue
        what = "is not a header among the implementation's sources"
        raise refusal(
            source,
            name.line,
            f"{name.text} {'is the name of two headers' if found else what}",
            "list the header in `sources` (.svh or .vh) and include it by its name without folders",
        )


def rename_includes(source: Source, names: Mapping[str, str]) -> Source:
    """The source with the headers that it includes renamed; its lines stay where they are.

    Args:
        names: the new name of a header by its old one.
    """
    if "`include" not in source.text:
        return source
    pieces: list[str] = []
    place = 0
    for name in included([token for token in tokens(source) if token.kind != "comment"]):
        old = name.text[1:-1]
        pieces += [source.text[place : name.start], f'"{names.get(old, old)}"']
        place = name.end
    return replace(source, text="".join((*pieces, source.text[place:])))
