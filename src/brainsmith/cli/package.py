"""`brainsmith package`: a plugin as one file for others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brainsmith.cli import options as shared
from brainsmith.cli.outcome import Outcome

if TYPE_CHECKING:
    from rich.console import Console

    from brainsmith.pdk.package import Packed


def package(
    path: Annotated[
        Path, typer.Argument(metavar="[PATH]", help="The plugin's folder, or one inside it.")
    ] = Path(),
    output: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where to; the plugin's dist if not given."),
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE", help="A file that looks like a secret and is none. Repeatable."
        ),
    ] = None,
    json: shared.Json = False,
    debug: shared.Debug = False,
) -> Outcome:
    """Pack a plugin into one file.

    It is checked first, and written as dist/NAME-VERSION.bspkg. The same sources give the same
    bytes. Left out is what git ignores; keys and tokens are refused.
    """
    from brainsmith.pdk.folder import plugin_folder
    from brainsmith.pdk.package import package as pack

    packed = pack(plugin_folder(path), output, allowed=allow or ())
    value = {
        "success": True,
        "package": str(packed.path),
        "name": packed.name,
        "version": packed.version,
        "size": packed.size,
        "files": packed.files,
        "digest": packed.digest,
        "warnings": [{"what": w.what, "where": w.where, "hint": w.hint} for w in packed.warnings],
    }
    return Outcome(value, lambda console: _show(packed, console))


def _show(packed: Packed, console: Console) -> None:
    from brainsmith.cli.manifest import show_flaws

    show_flaws(packed.warnings, console)
    lines = [
        f"✓ Created: {packed.path}",
        f"✓ Size: {_size(packed.size)}, {packed.files} files",
        f"✓ Digest: {packed.digest}",
        f"Next: brainsmith install {packed.path}",
    ]
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.1f} KB"
