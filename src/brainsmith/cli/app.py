"""The application: all commands under one name."""

from __future__ import annotations

from typing import Annotated

import typer

from brainsmith.cli.board import flash, run_on_board, simulate_board
from brainsmith.cli.compile import compile_model
from brainsmith.cli.create import create_plugin, update_plugin
from brainsmith.cli.develop import develop
from brainsmith.cli.doctor import doctor
from brainsmith.cli.errors import EXIT_CODES
from brainsmith.cli.explain import explain
from brainsmith.cli.manifest import app as manifest
from brainsmith.cli.package import package
from brainsmith.cli.plugins import info, plugins, search
from brainsmith.cli.store import install, lock, uninstall, verify
from brainsmith.cli.targets import targets
from brainsmith.cli.test_plugin import test_plugin

# Without rich's markup help costs 90 ms, with it 340.
app = typer.Typer(
    help="Compile quantized ONNX networks to verified dataflow accelerators.",
    epilog=EXIT_CODES,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.command("compile", epilog=EXIT_CODES)(compile_model)
app.command("run", epilog=EXIT_CODES)(run_on_board)
app.command(epilog=EXIT_CODES)(flash)
app.command("simulate-board", epilog=EXIT_CODES)(simulate_board)
app.command()(explain)
app.command()(targets)
app.command()(doctor)
app.command("create-plugin", epilog=EXIT_CODES)(create_plugin)
app.command("update-plugin", epilog=EXIT_CODES)(update_plugin)
app.command(epilog=EXIT_CODES)(develop)
app.command(epilog=EXIT_CODES)(package)
app.command("test-plugin", epilog=EXIT_CODES)(test_plugin)
app.add_typer(manifest, name="manifest")
app.command(epilog=EXIT_CODES)(install)
app.command()(uninstall)
app.command(epilog=EXIT_CODES)(lock)
app.command(epilog=EXIT_CODES)(verify)
app.command()(plugins)
app.command()(search)
app.command()(info)


def _print_version(wanted: bool) -> None:
    if wanted:
        import brainsmith

        typer.echo(f"brainsmith {brainsmith.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Version.")
    ] = False,
) -> None:
    pass
