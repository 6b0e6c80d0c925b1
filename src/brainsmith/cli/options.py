"""Options that several commands share, and what is read from their texts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Model = Annotated[Path, typer.Argument(metavar="MODEL", help="An ONNX or QONNX file.")]
Strategy = Annotated[
    str, typer.Option(metavar="NAME|FILE", help="A strategy's name, or a YAML file.")
]
Target = Annotated[str, typer.Option(help="The device; `brainsmith targets` lists them.")]
Shapes = Annotated[
    list[str] | None,
    typer.Option(
        "--shape",
        metavar="NAME=1,784",
        help="Shape of an input that the model leaves open. Repeatable.",
    ),
]
Sandbox = Annotated[
    str | None,
    typer.Option(
        metavar="LEVEL", help="Confine plugins at this level; below L3 only on your word."
    ),
]
GrantTexts = Annotated[
    list[str] | None,
    typer.Option(
        "--grant",
        metavar="PLUGIN:KEY=VALUE",
        help="What a plugin may have: memory=4GiB, cpu_time=300, read=/data, tool=NAME. "
        "Repeatable.",
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="One JSON object on standard output, nothing else.")
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


def parse_shapes(texts: list[str] | None) -> dict[str, tuple[int, ...]]:
    """Shapes by input name from texts such as "x=1,784"."""
    return dict(_parse_shape(text) for text in texts or ())


def _parse_shape(text: str) -> tuple[str, tuple[int, ...]]:
    name, separator, sizes = text.rpartition("=")
    try:
        shape = tuple(int(size) for size in sizes.split(","))
    except ValueError:
        shape = ()
    if not name or not separator or not shape or min(shape) < 1:
        raise typer.BadParameter(
            f"'{text}' is no shape: write it like NAME=1,784", param_hint="--shape"
        )
    return name, shape


def parse_params(texts: list[str] | None) -> dict[str, int | str]:
    """Parameters by name from texts such as "depth=4"; what reads as an integer is one."""
    found: dict[str, int | str] = {}
    for text in texts or ():
        name, separator, value = text.partition("=")
        if not name or not separator or not value:
            raise typer.BadParameter(
                f"'{text}' is no parameter: write it like NAME=VALUE", param_hint="--config"
            )
        found[name] = int(value) if value.lstrip("-").isdecimal() else value
    return found
