"""Which modules a source declares: Verilator takes the first of a name, wherever it comes from."""

from __future__ import annotations

from functools import lru_cache

from brainsmith.toolchains.hdl import Source
from brainsmith.toolchains.hdl_check.tokens import tokens

DECLARING = frozenset(("module", "macromodule", "interface", "package", "checker"))
ENDS = {name: "end" + name.removeprefix("macro") for name in DECLARING}
LIFETIMES = frozenset(("automatic", "static"))


@lru_cache(maxsize=1024)
def declared_names(source: Source) -> frozenset[str]:
    """The names of the modules, interfaces and packages that a checked source declares."""
    code = [token for token in tokens(source) if token.kind != "comment"]
    names = set()
    for index, token in enumerate(code):
        if token.kind != "word" or token.text not in DECLARING:
            continue
        following = [one for one in code[index + 1 : index + 3] if one.text not in LIFETIMES]
        if following and following[0].kind in ("word", "escaped"):
            names.add(following[0].name)
    return frozenset(names)
