"""The levels of confinement, from none to a machine of its own."""

from __future__ import annotations

from enum import IntEnum

from brainsmith.errors import ConfigurationError, nearest


class Level(IntEnum):
    """How much stands between a plugin's code and the user's machine; each has all before it."""

    L0 = 0
    L1 = 1
    L2 = 2
    L3 = 3
    L4 = 4
    L5 = 5

    @property
    def title(self) -> str:
        """What is enforced, in a few words."""
        return _TITLES[self]

    @classmethod
    def parse(cls, text: str, where: str | None = None) -> Level:
        """The level called "L3".

        Args:
            where: what names it, for the error.

        Raises:
            ConfigurationError: there is none.
        """
        try:
            return cls[text.upper()]
        except KeyError:
            names = [level.name for level in cls]
            raise ConfigurationError(
                f"unknown sandbox level '{text}'", where=where, hint=nearest(text, names)
            ) from None


_TITLES = {
    Level.L0: "in the process, no confinement",
    Level.L1: "a process of its own with limits: it may crash alone, which is no security boundary",
    Level.L2: "seccomp: no other system calls, files through a broker",
    Level.L3: "Landlock, a seccomp allow-list and limits",
    Level.L4: "L3 inside namespaces, with a tree of files of its own",
    Level.L5: "a container or virtual machine of its own",
}
