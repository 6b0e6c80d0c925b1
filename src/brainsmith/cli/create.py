"""`brainsmith create-plugin` and `update-plugin`."""

from __future__ import annotations

import sys
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
    from brainsmith.pdk import answers as questions
    from brainsmith.pdk.create import check_empty, create
    from brainsmith.plugins import PluginRegistry

    folder = output or Path(name)
    ask = not defaults and not json and sys.stdin.isatty() and sys.stdout.isatty()
    given = {"operation": operation, "author": author, "license": license}
    questions.checked(  # what was said is refused before anything is asked
        name, type, operation or questions.OPERATIONS[0], author or "-",
        license or questions.LICENSE, description or "-",
    )  # fmt: skip
    check_empty(folder)
    questions.check_free(name, PluginRegistry().plugin_names)
    answers = (
        _asked(name, type, given, description) if ask else _usual(name, type, given, description)
    )
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
    markers, and the command ends with an error.
    """
    from brainsmith.errors import PluginError
    from brainsmith.pdk.update import update

    found = update(path, {"author": author, "license": license, "description": description})
    if not check and found.files:
        found.write()
    fine = not found.conflicts and not (check and found.is_needed)
    value = {
        "success": fine,
        "folder": str(path),
        "written": not check and bool(found.files),
        "changed": found.changed,
        "added": found.added,
        "removed": found.removed,
        "conflicts": found.conflicts,
    }
    exit_code = 0 if fine else PluginError.exit_code
    return Outcome(value, lambda console: _show_update(found, check, console), exit_code)


def _usual(name: str, type: str, given: dict[str, str | None], description: str | None) -> Answers:
    from brainsmith.pdk import answers as questions

    operation = given["operation"] or questions.OPERATIONS[0]
    return questions.checked(
        name,
        type,
        operation,
        given["author"] or questions.default_author(),
        given["license"] or questions.LICENSE,
        description or questions.default_description(type, operation),
    )


def _asked(name: str, type: str, given: dict[str, str | None], description: str | None) -> Answers:
    """The answers, those that were not given from the person at the terminal."""
    from brainsmith.errors import ConfigurationError
    from brainsmith.pdk import answers as questions

    said = dict(given)
    if type == "kernel" and said["operation"] is None:
        shown = ", ".join(questions.OPERATIONS)
        said["operation"] = typer.prompt(f"Operation ({shown})", default=questions.OPERATIONS[0])
    said["author"] = said["author"] or typer.prompt("Author", default=questions.default_author())
    said["license"] = said["license"] or typer.prompt("Licence (SPDX)", default=questions.LICENSE)
    usual = questions.default_description(type, said["operation"] or questions.OPERATIONS[0])
    description = description or typer.prompt("Description", default=usual)
    try:
        return _usual(name, type, said, description)
    except ConfigurationError as error:
        typer.echo(f"{error}\n", err=True)
        wrong = error.where if error.where in given else None
        again = {key: None if key == wrong else value for key, value in said.items()}
        if wrong is None:
            raise
        return _asked(name, type, again, description)


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
    for what, names in words.items():
        for name in names:
            console.print(f"{what}: {name}", markup=False, highlight=False, soft_wrap=True)
    if not found.is_needed:
        console.print("✓ The plugin is what the present templates make", markup=False)
    elif check:
        console.print("nothing is written: --check", markup=False)
    elif found.conflicts:
        console.print("look for <<<<<<< in the files in conflict, and decide", markup=False)
