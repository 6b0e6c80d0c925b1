"""`brainsmith create-plugin` and `update-plugin`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brainsmith.cli import options as shared
from brainsmith.cli.outcome import Outcome

if TYPE_CHECKING:
    from rich.console import Console

    from brainsmith.pdk.answers import Answers
    from brainsmith.pdk.update import Update

Author = Annotated[str | None, typer.Option(help="Who writes it; git's user.name if not given.")]
License = Annotated[str | None, typer.Option(help="An SPDX expression, such as Apache-2.0.")]
Description = Annotated[str | None, typer.Option(help="What it does, in a line.")]


def create_plugin(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Such as my-awesome-kernel.")],
    type: Annotated[
        str, typer.Option(help="kernel, transform, operation, target or strategy.")
    ] = "kernel",
    operation: Annotated[
        str | None,
        typer.Option(help="Of a kernel: matmul, thresholding, add, mul or label_select."),
    ] = None,
    author: Author = None,
    license: License = None,
    description: Description = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where; ./NAME if not given.")
    ] = None,
    defaults: Annotated[
        bool, typer.Option("--defaults", help="Ask nothing; take what is usual.")
    ] = False,
    json: shared.Json = False,
    debug: shared.Debug = False,
) -> Outcome:
    """Write a new plugin that works at once.

    With code, tests, an example and docs. On a terminal it asks for what it was not told.
    """
    from brainsmith.pdk.create import check_empty, create
    from brainsmith.pdk.names import check_components, check_free
    from brainsmith.plugins import PluginRegistry

    folder = output or Path(name)
    given = {
        "operation": operation, "author": author, "license": license, "description": description,
    }  # fmt: skip
    answers = _answered(name, type, given)  # what was said is refused before anything is asked
    check_empty(folder)
    registry = PluginRegistry()
    check_free(name, registry.plugin_names)
    check_components(name, type, registry)
    if not defaults and not json and sys.stdin.isatty() and sys.stdout.isatty():
        answers = _asked(name, type, given)
    files = create(answers, folder)
    value = {
        "success": True,
        "plugin": answers.name,
        "folder": str(folder),
        "component": answers.class_name,
        "files": files,
    }
    return Outcome(value, lambda console: _show_created(answers, folder, files, console))


def update_plugin(
    path: Annotated[Path, typer.Argument(metavar="[PATH]", help="The plugin's folder.")] = Path(),
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; end with an error if it is behind.")
    ] = False,
    author: Author = None,
    license: License = None,
    description: Description = None,
    json: shared.Json = False,
    debug: shared.Debug = False,
) -> Outcome:
    """Bring a plugin up to the present templates.

    What its author wrote stays. Where both changed the same lines, the file gets both between
    markers, and the command ends with an error until its author has decided.
    """
    from brainsmith.errors import PluginError
    from brainsmith.pdk.folder import plugin_folder
    from brainsmith.pdk.update import update

    given = {"author": author, "license": license, "description": description}
    found = update(plugin_folder(path), given)
    if not check and found.files:
        found.write()
    fine = not (found.conflicts or found.undecided or (check and found.is_needed))
    value = {
        "success": fine,
        "folder": str(found.folder),
        "written": not check and bool(found.files),
        "changed": found.changed,
        "added": found.added,
        "removed": found.removed,
        "conflicts": found.conflicts,
        "undecided": found.undecided,
    }
    exit_code = 0 if fine else PluginError.exit_code
    return Outcome(value, lambda console: _show_update(found, check, console), exit_code)


def _answered(name: str, type: str, given: Mapping[str, str | None]) -> Answers:
    """The answers, with what is usual where nothing was said."""
    from brainsmith.pdk import answers as questions

    said = {key: value for key, value in given.items() if value is not None}
    return questions.checked(name, type, **{**questions.usual(type, given), **said})


def _asked(name: str, type: str, given: Mapping[str, str | None]) -> Answers:
    """The answers, those that were not given from the person at the terminal."""
    from brainsmith.errors import ConfigurationError
    from brainsmith.pdk import answers as questions

    texts = {
        "operation": f"Operation ({', '.join(questions.OPERATIONS)})",
        "author": "Author",
        "license": "Licence (SPDX)",
        "description": "Description",
    }
    said = dict(given)
    for key, text in texts.items():
        while said[key] is None and not (key == "operation" and type != "kernel"):
            said[key] = typer.prompt(text, default=questions.usual(type, said)[key])
            try:
                _answered(name, type, said)
            except ConfigurationError as error:  # the one just given: those before it were fine
                typer.echo(str(error), err=True)
                said[key] = None
    return _answered(name, type, said)


def _show_created(answers: Answers, folder: Path, files: list[str], console: Console) -> None:
    lines = [f"✓ Created: {folder} ({len(files)} files), with {answers.class_name}", "Next:"]
    lines += [f"  cd {folder}", "  brainsmith develop --watch   # checks and tests at each save"]
    lines.append("  python -m pytest             # its tests")
    lines.append("  brainsmith package           # for others")
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _show_update(found: Update, check: bool, console: Console) -> None:
    words = {"changed": found.changed, "added": found.added, "removed": found.removed}
    words["in conflict"] = found.conflicts
    words["still undecided"] = found.undecided
    for what, names in words.items():
        for name in names:
            console.print(f"{what}: {name}", markup=False, highlight=False, soft_wrap=True)
    if not (found.is_needed or found.undecided):
        console.print("✓ The plugin is what the present templates make", markup=False)
    elif check:
        console.print("nothing is written: --check", markup=False)
    elif found.conflicts or found.undecided:
        console.print("look for <<<<<<< in these files, and decide", markup=False)
