"""Everything that is wrong with a plugin's folder, found without importing any of its code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from brainsmith.errors import PluginError, nearest
from brainsmith.plugins.kinds import KINDS
from brainsmith.plugins.manifest import CodeEntry, FileEntry, Manifest
from brainsmith.plugins.names import canonical
from brainsmith.plugins.pyproject import PYPROJECT, dependency_differences
from brainsmith.plugins.requirements import cycle, parse
from brainsmith.plugins.safe_yaml import Document, read_document
from brainsmith.plugins.scoped import owns
from brainsmith.plugins.sources import (
    class_in,
    module_file,
    plugin_root,
    read_module,
)
from brainsmith.plugins.sync import manifest_path, sync


@dataclass(frozen=True)
class Flaw:
    """Something that is wrong with a plugin.

    Args:
        severity: an "error" makes the plugin unusable, a "warning" does not.
        what: what was found.
        where: file and line.
        hint: what is expected, or what to do.
    """

    severity: Literal["error", "warning"]
    what: str
    where: str | None
    hint: str | None = None


def check_plugin(path: str | Path) -> list[Flaw]:
    """All flaws of the plugin in a folder (or of a manifest's file), by their place in the file.

    Checked are the manifest, that its files and classes are there, that it agrees with the
    decorators, and that its dependencies make sense and are those of its `pyproject.toml`.
    """
    file = manifest_path(path)
    try:
        document = read_document(file)
    except PluginError as error:
        return [_flaw(error)]
    found = Manifest.complaints_about(document)
    if found:
        return [Flaw("error", c.what, document.place(c.field), c.hint) for c in found]
    manifest = Manifest.of(document)
    try:
        plugin_root(file.parent)
    except PluginError as error:
        return [_flaw(error)]
    flaws = [
        *_license(manifest, document),
        *_components(manifest, document, file.parent),
        *_examples(manifest, document, file.parent),
        *_dependencies(manifest, document),
        *_distribution(manifest, document, file.parent),
    ]
    if not any(flaw.severity == "error" for flaw in flaws):
        flaws += _agreement(file)
    return flaws


def _license(manifest: Manifest, document: Document) -> Iterator[Flaw]:
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    where = document.place(("license",))
    if not manifest.license:
        yield Flaw("warning", "the plugin has no licence", where, "license: Apache-2.0")
        return
    try:
        canonicalize_license_expression(manifest.license)
    except InvalidLicenseExpression:
        hint = "https://spdx.org/licenses lists them; LicenseRef-NAME is for others"
        yield Flaw("warning", f"'{manifest.license}' is no SPDX licence", where, hint)


def _components(manifest: Manifest, document: Document, folder: Path) -> Iterator[Flaw]:
    for kind in KINDS:
        for index, entry in enumerate(getattr(manifest, kind)):
            if isinstance(entry, FileEntry):
                yield from _data(entry, document, (kind, index, "file"), folder)
            else:
                yield from _class(entry, manifest, document, (kind, index), folder)


def _class(
    entry: CodeEntry,
    manifest: Manifest,
    document: Document,
    field: tuple[str, int],
    folder: Path,
) -> Iterator[Flaw]:
    root = plugin_root(folder)
    where = document.place((*field, "module"))
    file = module_file(root, entry.module)
    if file is None:
        if owns(root, entry.module) or not _is_dependency(entry.module, manifest):
            hint = f"modules start in {root}; those of other packages need one of `dependencies`"
            yield Flaw("error", f"there is no module '{entry.module}'", where, hint)
        return
    try:
        if not class_in(root, file, entry.class_):
            known = read_module(root, file).classes
            what = f"there is no class '{entry.class_}' in {file}"
            yield Flaw(
                "error", what, document.place((*field, "class")), nearest(entry.class_, known)
            )
    except PluginError as error:
        yield _flaw(error)


def _is_dependency(module: str, manifest: Manifest) -> bool:
    """Whether a module belongs to a package that the manifest depends on."""
    from importlib.metadata import packages_distributions

    top = module.partition(".")[0]
    wanted = {canonical(parse(text).name) for text in manifest.dependencies}
    owners = {canonical(name) for name in packages_distributions().get(top, ())}
    return canonical(top) in wanted or bool(owners & wanted)


def _data(
    entry: FileEntry, document: Document, field: tuple[str | int, ...], folder: Path
) -> Iterator[Flaw]:
    flaw = _missing_file(entry.file, document, field, folder)
    if flaw is not None:
        yield flaw
        return
    try:
        data = read_document(folder / entry.file).data
    except PluginError as error:
        yield _flaw(error)
        return
    name = data.get("name") if isinstance(data, dict) else None
    if name != entry.name:
        yield Flaw(
            "error",
            f"the manifest calls it '{entry.name}', its file '{name}'",
            document.place((*field[:-1], "name")),
            "give both the same name",
        )


def _examples(manifest: Manifest, document: Document, folder: Path) -> Iterator[Flaw]:
    for index, example in enumerate(manifest.examples):
        flaw = _missing_file(example, document, ("examples", index), folder)
        if flaw is not None:
            yield flaw


def _missing_file(
    name: str, document: Document, field: tuple[str | int, ...], folder: Path
) -> Flaw | None:
    path = folder / name
    where = document.place(field)
    if not path.resolve().is_relative_to(folder.resolve()):
        return Flaw("error", f"'{name}' is a link that leaves the plugin", where)
    if not path.is_file():
        return Flaw("error", f"there is no file '{name}'", where, f"looked for {path}")
    return None


def _dependencies(manifest: Manifest, document: Document) -> Iterator[Flaw]:
    if cycle({manifest.name: manifest.dependencies}):
        where = document.place(("dependencies",))
        yield Flaw("error", "the plugin depends on itself", where, "remove that dependency")


def _distribution(manifest: Manifest, document: Document, folder: Path) -> Iterator[Flaw]:
    where = document.place(("dependencies",))
    hint = f"pip installs those of {PYPROJECT}, Brainsmith those of the manifest: say the same"
    try:
        for what in dependency_differences(folder, manifest.dependencies):
            yield Flaw("warning", what, where, hint)
    except PluginError as error:
        hint = "pip cannot install the plugin; its package can be installed"
        yield Flaw("warning", error.what, str(folder / PYPROJECT), hint)


def _agreement(file: Path) -> list[Flaw]:
    try:
        synced = sync(file)
    except PluginError as error:
        return [_flaw(error)]
    if synced.agrees:
        return []
    hint = "`brainsmith manifest sync` writes what they say into the manifest"
    return [Flaw("error", "the manifest does not say what the decorators say", str(file), hint)]


def _flaw(error: PluginError) -> Flaw:
    return Flaw("error", error.what, error.where, error.hint)
