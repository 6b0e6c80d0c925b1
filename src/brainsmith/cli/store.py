"""`brainsmith install`, `uninstall`, `lock` and `verify`: the plugins on this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brainsmith.cli import options as shared
from brainsmith.cli.errors import describe
from brainsmith.cli.outcome import Outcome

if TYPE_CHECKING:
    from rich.console import Console

    from brainsmith.errors import BrainsmithError
    from brainsmith.plugins.integrity import Difference
    from brainsmith.plugins.requirements import Problem
    from brainsmith.plugins.store import Installed


def install(
    source: Annotated[
        Path, typer.Argument(metavar="PATH|FILE.bspkg", help="A plugin's package, or its folder.")
    ],
    with_dependencies: Annotated[
        bool,
        typer.Option(
            "--with-dependencies",
            help="Install the Python packages that it needs too, wheels only, in a folder of its "
            "own; with uv, or with pip where there is no uv.",
        ),
    ] = False,
    json: shared.Json = False,
    debug: shared.Debug = False,
) -> Outcome:
    """Install a plugin.

    It is unpacked into the store; none of its code runs.
    """
    from brainsmith.plugins.store import Store

    store = Store()
    installed = store.install(source, with_dependencies=with_dependencies)
    missing = store.missing(installed)
    record = installed.record
    packages = record.dependencies.packages if record.dependencies is not None else None
    value = {
        "success": True,
        "name": record.name,
        "version": record.version,
        "new": installed.new,
        "folder": str(installed.folder),
        "archive": record.archive,
        "content": record.content,
        "dependencies": None if packages is None else {p.name: p.version for p in packages},
        "missing": [problem.requirement for problem in missing],
    }
    return Outcome(value, lambda console: _show_installed(installed, missing, console))


def uninstall(
    plugin: Annotated[
        str, typer.Argument(metavar="NAME[==VERSION]", help="An installed plugin's name.")
    ],
    json: shared.Json = False,
    debug: shared.Debug = False,
) -> Outcome:
    """Remove an installed plugin."""
    from brainsmith.plugins.store import Store

    folder = Store().uninstall(plugin)
    name, version = folder.parent.name, folder.name
    value = {"success": True, "name": name, "version": version, "folder": str(folder)}
    return Outcome(value, lambda console: console.print(f"removed {name} {version}", markup=False))


def lock(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail where the lock is out of date.")
    ] = False,
    json: shared.Json = False,
    debug: shared.Debug = False,
) -> Outcome:
    """Lock the plugins of this project.

    brainsmith.lock says which plugins it uses, down to each of their files.
    """
    from brainsmith.errors import ConfigurationError
    from brainsmith.plugins import PluginRegistry
    from brainsmith.plugins.lockfile import (
        Lock,
        compare_lock,
        lock_of,
        lock_place,
        used_plugins,
        write_lock,
    )

    place, plugins = lock_place(Path.cwd()), used_plugins(PluginRegistry())
    value: dict[str, Any] = {"success": True, "lock": str(place)}
    if check:
        found = compare_lock(Lock.read(place), plugins)
        error = ConfigurationError(
            "the lock is out of date", where=str(place), hint="write it anew: brainsmith lock"
        )
        return _checked(value, found, error, f"{place} is up to date")
    new = lock_of(plugins)
    value["changed"] = write_lock(place, new)
    value["plugins"] = [p.model_dump(include={"name", "version", "content"}) for p in new.plugins]
    count = f"{len(new.plugins)} plugin{'s' * (len(new.plugins) != 1)}"
    told = f"{place}: {count}" + ("" if value["changed"] else ", unchanged")
    return Outcome(value, lambda console: console.print(told, markup=False, soft_wrap=True))


def verify(json: shared.Json = False, debug: shared.Debug = False) -> Outcome:
    """Check every file of the plugins.

    Installed plugins are compared with their records, and with the project's lock if it has one.
    """
    from brainsmith.errors import PluginError
    from brainsmith.plugins import PluginRegistry
    from brainsmith.plugins.lockfile import Lock, compare_lock, find_lock, used_plugins
    from brainsmith.plugins.store import Store

    store, place = Store(), find_lock(Path.cwd())
    found = store.verify()
    if place is not None:
        known = {difference.where for difference in found}
        locked = compare_lock(Lock.read(place), used_plugins(PluginRegistry()))
        found += [difference for difference in locked if difference.where not in known]
    count = len(list(store.folders()))
    value = {"success": True, "lock": None if place is None else str(place), "installed": count}
    error = PluginError(
        "plugins are not as they were installed or locked",
        where=found[0].where if found else None,
        hint="uninstall and install them again; where a change is wanted: brainsmith lock",
    )
    told = f"{count} installed plugin{'s' * (count != 1)} unchanged"
    return _checked(value, found, error, told if place is None else f"{told}, {place} holds")


def _checked(
    value: Mapping[str, Any], found: Sequence[Difference], error: BrainsmithError, told: str
) -> Outcome:
    """What a comparison has found: nothing, or differences with the error that they are."""
    value = {**value, "success": not found, "differences": [asdict(d) for d in found]}
    if not found:
        return Outcome(value, lambda console: console.print(told, markup=False, soft_wrap=True))
    value["error"] = describe(error)
    return Outcome(value, lambda console: _show_differences(found, error, console), error.exit_code)


def _show_installed(installed: Installed, missing: Sequence[Problem], console: Console) -> None:
    state = "installed" if installed.new else "already installed:"
    lines = [f"{state} {installed.record.title} in {installed.folder}"]
    if installed.record.dependencies is not None:
        packages = installed.record.dependencies.packages
        lines.append(
            "with " + (", ".join(f"{p.name} {p.version}" for p in packages) or "no package")
        )
    if missing:
        needed = " ".join(f'"{problem.install}"' for problem in missing if problem.install)
        lines.append("before it can be used: " + "; ".join(problem.what for problem in missing))
        lines.append(f"  hint: install it again --with-dependencies, or: pip install {needed}")
    console.print("\n".join(lines), markup=False, soft_wrap=True)


def _show_differences(
    found: Sequence[Difference], error: BrainsmithError, console: Console
) -> None:
    from rich.text import Text

    for difference in found:
        console.print(Text(f"{difference.plugin}: {difference.what}: {difference.where}"))
    console.print(Text(f"error: {error.what}\n  hint: {error.hint}"), soft_wrap=True)
