"""Decorators and manifest agree: the manifest's component lists are written from the decorators.

What decorators say is theirs (`decorated.OWNED`), and is overwritten; everything else in the file
stays as it is: other fields, `devices` and the like of an entry, comments, order and style. Entries
that are not declared by a decorator stay where they are files, where their module belongs to a
dependency, and where they are transforms whose class is there (a QONNX `Transformation` needs no
decorator).
"""

from __future__ import annotations

import difflib
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brainsmith.errors import PluginError, StorageError
from brainsmith.plugins.decorated import KIND_OF, OWNED, Declared, declared_components
from brainsmith.plugins.kinds import KINDS
from brainsmith.plugins.manifest import Manifest
from brainsmith.plugins.places import FILE_NAME
from brainsmith.plugins.safe_yaml import Document, parse_yaml, read_document
from brainsmith.plugins.scoped import owns
from brainsmith.plugins.sources import class_in, module_file, plugin_root
from brainsmith.plugins.yaml_edit import Plan, YamlEditor

_HEAD = ("schema", "name", "version", "author", "license", "description")


@dataclass(frozen=True)
class Synced:
    """A manifest as it is and as the decorators say that it should be.

    Args:
        path: the manifest's file.
        before: its text.
        after: its text with the component lists of the decorators.
        components: how many components the decorators declare, by kind.
    """

    path: Path
    before: str
    after: str
    components: dict[str, int]

    @property
    def agrees(self) -> bool:
        """Whether the manifest says what the decorators say."""
        return self.before == self.after

    @property
    def difference(self) -> str:
        """What would change, as a unified diff; "" where nothing would."""
        lines = difflib.unified_diff(
            self.before.splitlines(), self.after.splitlines(), "manifest", "decorators", lineterm=""
        )
        return "\n".join(lines)

    def write(self) -> None:
        """Write the new text, whole or not at all; StorageError where it cannot be written."""
        if not self.agrees:
            _write(self.path.resolve(), self.after)


def manifest_path(path: str | Path) -> Path:
    """The manifest of a plugin's folder, or the file itself."""
    given = Path(path)
    return given / FILE_NAME if given.is_dir() else given


def sync(path: str | Path) -> Synced:
    """Compare a plugin's manifest with its decorators; nothing is written or imported.

    Args:
        path: the plugin's folder, or its manifest.

    Raises:
        PluginError: the manifest or a source cannot be read, a decorator is wrong, or two
            components of one kind have the same name.
    """
    file = manifest_path(path)
    document = read_document(file)
    _check_rest(document)
    declared = declared_components(file.parent)
    _check_names(declared)
    editor = YamlEditor(document)
    for kind in KINDS:
        if kind in KIND_OF.values():
            mine = [d for d in declared if d.kind == kind]
            entries = document.data.get(kind) or []
            plan = _plan(kind, entries, mine, document.data["version"], file.parent)
            editor.set_entries(kind, plan, after=_HEAD if not _listed(document) else KINDS)
    after = editor.result()
    _check_result(parse_yaml(after, str(file)), declared)
    counts = {kind: sum(d.kind == kind for d in declared) for kind in KIND_OF.values()}
    return Synced(file, document.text, after, counts)


def _listed(document: Document) -> bool:
    return any(kind in document.data for kind in KINDS)


def _plan(
    kind: str, entries: Sequence[dict[str, Any]], declared: list[Declared], version: str, root: Path
) -> Plan:
    """The entries that stay, changed where they must be, and then the new ones."""
    by_name = {d.name: d for d in declared}
    by_class = {(d.entry["module"], d.entry["class"]): d for d in declared}
    listed = {entry.get("name") for entry in entries}
    plan: list[tuple[int | None, dict[str, Any]]] = []
    placed: set[str] = set()
    for index, entry in enumerate(entries):
        found = by_name.get(str(entry.get("name")))
        if found is None:  # it may have been renamed
            found = by_class.get((entry.get("module"), entry.get("class")))
            found = None if found is not None and found.name in listed else found
        if found is not None and found.name not in placed and "file" not in entry:
            placed.add(found.name)
            plan.append((index, _merged(kind, entry, found.entry, version)))
        elif found is None and _stays(kind, entry, root):
            plan.append((index, entry))
    new = [d for d in declared if d.name not in placed]
    return [*plan, *((None, _merged(kind, {}, d.entry, version)) for d in new)]


def _merged(
    kind: str, entry: dict[str, Any], declared: dict[str, Any], version: str
) -> dict[str, Any]:
    """An entry with all that its decorators say, and what only the entry says."""
    said = {key: value for key, value in declared.items() if (key, value) != ("version", version)}
    kept = {key: value for key, value in entry.items() if key not in OWNED[kind] or key in said}
    return {**kept, **said}


def _stays(kind: str, entry: dict[str, Any], root: Path) -> bool:
    """Whether an entry that no decorator declares is right all the same."""
    module = entry.get("module")
    if "file" in entry or not isinstance(module, str):
        return "file" in entry
    base = plugin_root(root)
    file = module_file(base, module)
    if file is None:
        return not owns(base, module)
    return kind == "transforms" and class_in(base, file, str(entry.get("class")))


def _check_rest(document: Document) -> None:
    """What is wrong outside the lists of components is the author's to mend, and comes first."""
    found = Manifest.complaints_about(document)
    listed = tuple(KIND_OF.values())
    for complaint in found:
        inside = bool(complaint.field) and complaint.field[0] in listed
        # An entry has to be a mapping to be edited; what is in it, the decorators say.
        if not inside or (len(complaint.field) < 3 and document.data[complaint.field[0]]):
            where = document.place(complaint.field)
            raise PluginError(complaint.what, where=where, hint=complaint.hint)


def _check_names(declared: list[Declared]) -> None:
    seen: dict[tuple[str, str], Declared] = {}
    for component in declared:
        other = seen.setdefault((component.kind, component.name), component)
        if other is not component:
            raise PluginError(
                f"two {component.kind} are called '{component.name}'",
                where=component.where,
                hint=f"the other one is at {other.where}: give one of them another name",
            )


def _check_result(document: Document, declared: list[Declared]) -> None:
    """What is wrong now comes from a decorator, or from an entry that none declares."""
    for complaint in Manifest.complaints_about(document):
        where = document.place(complaint.field)
        if len(complaint.field) > 1:
            kind, index = complaint.field[:2]
            name = document.data[kind][index].get("name")
            places = [d.where for d in declared if (d.kind, d.name) == (kind, name)]
            where = places[0] if places else where
        raise PluginError(complaint.what, where=where, hint=complaint.hint)


def _write(path: Path, text: str) -> None:
    temporary = ""
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
        shutil.copymode(path, temporary)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise StorageError(
            f"the manifest could not be written: {error.strerror}", where=str(path)
        ) from error
