"""Names of plugins and components: what they may be, and which ones imitate each other."""

from __future__ import annotations

import keyword
import re
import unicodedata

from brainsmith.plugins.distributions import PREFIX

MAX_LENGTH = 64
PLUGIN_NAME = r"^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$"
COMPONENT_NAME = r"^[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9_])?$"
TOOL_NAME = r"[A-Za-z0-9][A-Za-z0-9+._-]{0,63}"
_SEPARATORS = re.compile(r"[-_.\s]+")

# Letters of other scripts that look like Latin ones (Unicode TR 39); NFKD folds the rest.
_LOOKALIKES = str.maketrans(
    dict(
        zip(
            "абвгԁеѕіјкӏмноԛрсԝтухһѡүᴠᴢαβγεηικνορτυχωıɑɡɩʟօսհոցքյագ",
            "abbrdesijklmhoqpcwtyxhwyvzabyenikvoptuxwiagiloshngpjwq",
            strict=True,
        )
    )
)


def canonical(name: str) -> str:
    """The form in which names that can be taken for each other are equal.

    Case, `-`, `_` and `.` (PEP 503), accents and lookalike letters of other scripts are folded.
    """
    folded = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(
        "-" if unicodedata.category(c) == "Pd" or c == "\N{MINUS SIGN}" else c
        for c in folded
        if not unicodedata.combining(c)
    )
    return _SEPARATORS.sub("-", plain.translate(_LOOKALIKES).casefold())


def plugin_meant(name: str) -> str:
    """The `canonical` name of the plugin that a name may mean, also that of its distribution."""
    return canonical(name).removeprefix(PREFIX)


def is_plugin_name(name: str) -> bool:
    """Whether a plugin may be called so: ASCII letters, digits, and `-`, `_`, `.` inside."""
    return re.fullmatch(PLUGIN_NAME, name) is not None


def is_component_name(name: str) -> bool:
    """Whether a component may be called so: as a plugin; `_` may be first or last."""
    return re.fullmatch(COMPONENT_NAME, name) is not None


def is_module(name: str) -> bool:
    """Whether this is a dotted path of identifiers, which cannot leave the folder it starts in."""
    return name.isascii() and all(is_identifier(part) for part in name.split("."))


def is_identifier(name: str) -> bool:
    """Whether this can be the name of a class."""
    return name.isascii() and name.isidentifier() and not keyword.iskeyword(name)


def is_tool_name(name: str) -> bool:
    """Whether this can be the name of a program, without a path."""
    return re.fullmatch(TOOL_NAME, name) is not None
