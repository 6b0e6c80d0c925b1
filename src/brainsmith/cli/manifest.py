"""`brainsmith manifest`: checking a plugin's manifest, and writing it from the decorators."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brainsmith.cli import options as shared
from brainsmith.cli.errors import EXIT_CODES
from brainsmith.cli.outcome import Outcome

if TYPE_CHECKING:
    from rich.console import Console

    from brainsmith.plugins.checks import Flaw
    from brainsmith.plugins.sync import Synced

app = typer.Typer(
    help="Check or write a plugin's manifest.",
    rich_markup_mode=None,
    no_args_is_help=True,
)

Place = Annotated[Path, typer.Argument(metavar="[FOLDER]", help="The plugin's folder.")]
Check = Annotated[
    bool, typer.Option("--check", help="Write nothing; end with an error if they differ.")
]


@app.command("sync", epilog=EXIT_CODES)
def sync_manifest(
    folder: Place = Path(),
    check: Check = False,
    json: shared.Json = False,
    debug: shared.Debug = False,
) -> Outcome:
    """Write the components that the decorators declare.

    They are read from the plugin's sources, of which no code is run. Comments, order and all
    other fields stay.
    """
    from brainsmith.errors import PluginError
    from brainsmith.plugins.sync import sync

    synced = sync(folder)
    if not check:
        synced.write()
    fine = synced.agrees or not check
    value = {
        "success": fine,
        "manifest": str(synced.path),
        "agrees": synced.agrees,
        "written": not check and not synced.agrees,
        "components": synced.components,
        "difference": synced.difference,
    }
    exit_code = 0 if fine else PluginError.exit_code
    return Outcome(value, lambda console: _show_sync(synced, check, console), exit_code)


@app.command("check", epilog=EXIT_CODES)
def check_manifest(
    path: Annotated[
        Path, typer.Argument(metavar="[PATH]", help="The plugin's folder, or its manifest.")
    ] = Path(),
    json: shared.Json = False,
    debug: shared.Debug = False,
) -> Outcome:
    """Name everything that is wrong with it.

    Also looks for its files and classes, without running any code of the plugin.
    """
    from brainsmith.errors import PluginError
    from brainsmith.plugins.checks import check_plugin
    from brainsmith.plugins.sync import manifest_path

    flaws = check_plugin(path)
    errors = [flaw for flaw in flaws if flaw.severity == "error"]
    value = {
        "success": not errors,
        "manifest": str(manifest_path(path)),
        "flaws": [
            {"severity": f.severity, "what": f.what, "where": f.where, "hint": f.hint}
            for f in flaws
        ],
    }
    exit_code = PluginError.exit_code if errors else 0
    return Outcome(value, lambda console: _show_checked(flaws, console), exit_code)


@app.command("schema")
def print_schema(json: shared.Json = False, debug: shared.Debug = False) -> Outcome:
    """Print the manifest's JSON schema, for editors."""
    from brainsmith.plugins.schema import json_schema
    from brainsmith.report.json_report import dumps

    schema = json_schema()
    return Outcome(schema, lambda console: _print(dumps(schema), console))


@app.command("reference")
def print_reference(json: shared.Json = False, debug: shared.Debug = False) -> Outcome:
    """Print all fields of a manifest, as Markdown."""
    from brainsmith.plugins.schema import reference

    text = reference()
    return Outcome({"success": True, "reference": text}, lambda console: _print(text, console))


def _show_sync(synced: Synced, check: bool, console: Console) -> None:
    if synced.difference and check:
        _print(synced.difference, console)
        _print("the manifest does not say what the decorators say", console)
    elif synced.difference:
        counts = ", ".join(f"{count} {kind}" for kind, count in synced.components.items() if count)
        _print(f"{synced.path} is written: {counts or 'no components'}", console)
    else:
        _print(f"{synced.path} says what the decorators say", console)


def _show_checked(flaws: Sequence[Flaw], console: Console) -> None:
    show_flaws(flaws, console)
    if not flaws:
        _print("the manifest is right", console)


def show_flaws(flaws: Sequence[Flaw], console: Console) -> None:
    """Prints flaws of a plugin, each with its place and what to do."""
    from rich.text import Text

    for flaw in flaws:
        text = Text.assemble(
            (f"{flaw.severity}: ", "bold red" if flaw.severity == "error" else "bold yellow"),
            flaw.what,
        )
        if flaw.where:
            text.append(f"\n  where: {flaw.where}")
        if flaw.hint:
            text.append(f"\n  hint: {flaw.hint}")
        console.print(text, soft_wrap=True)


def _print(text: str, console: Console) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
