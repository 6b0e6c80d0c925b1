"""Parameters of a kernel that a strategy may set."""

from __future__ import annotations

from dataclasses import dataclass

from brainsmith.errors import ConfigurationError, PluginError


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of a kernel: its default and its legal values."""

    default: int | str
    choices: tuple[int | str, ...] = ()
    description: str = ""

    def check(self, name: str, value: int | str, where: str) -> int | str:
        """`value`, or ConfigurationError where it is not legal."""
        if self.choices and value not in self.choices:
            raise ConfigurationError(
                f"{name}={value!r} is not legal",
                where=where,
                hint="legal values: " + ", ".join(map(repr, self.choices)),
            )
        if type(value) is not type(self.default):
            raise ConfigurationError(
                f"{name}={value!r} is not of type {type(self.default).__name__}", where=where
            )
        return value


def param(
    default: int | str, *, choices: tuple[int | str, ...] = (), description: str = ""
) -> Param:
    """Declares a parameter as a class attribute of a kernel: `ram_style = param("auto", ...)`."""
    if choices and default not in choices:
        raise PluginError(f"the default {default!r} is not among the choices {choices}")
    return Param(default, tuple(choices), description)
