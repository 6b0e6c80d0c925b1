"""What the decorators in a plugin's sources say, read from the syntax tree without an import.

A component is a class at the top level of a module with one of `@kernel`, `@transform`,
`@operation`, `@target` of `brainsmith.api`, under whatever name they were imported. Everything that
the manifest takes over has to be a literal, because nothing is executed to find it out.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brainsmith.api import decorators
from brainsmith.api.decorators import REQUIRES_HINT
from brainsmith.errors import PluginError, nearest
from brainsmith.plugins.sources import Module, Sources, read_sources, top_level

KIND_OF = {
    "operation": "operations",
    "kernel": "kernels",
    "transform": "transforms",
    "target": "targets",
}
_HOMES = ("brainsmith.api.", "brainsmith.api.decorators.")
_NEEDED = {
    "operations": ("loops", "ports", "match", "infer", "reference"),
    "transforms": ("apply",),
}
# What the manifest knows of a component only through its decorators, by kind.
OWNED = {
    "operations": ("module", "class", "description", "version", "tags", "requires"),
    "targets": ("module", "class", "description", "version", "tags", "requires"),
    "kernels": (
        *("module", "class", "operation", "description", "version", "tags"),
        *("backends", "constraints", "requires"),
    ),
    "transforms": (
        *("module", "class", "stage", "description", "version", "tags"),
        *("compatible_kernels", "requires"),
    ),
}


@dataclass(frozen=True)
class Declared:
    """A component as its class declares it.

    Args:
        kind: "operations", "kernels", "transforms" or "targets".
        entry: its entry in the manifest, with what literals tell of it.
        where: `file:line` of its decorator.
    """

    kind: str
    entry: dict[str, Any]
    where: str

    @property
    def name(self) -> str:
        name: str = self.entry["name"]
        return name


def declared_components(folder: Path) -> list[Declared]:
    """The components that the plugin in `folder` declares, by module and line.

    Raises:
        PluginError: a source cannot be read, a decorator's argument is unknown or no literal, or
            a class lacks what its kind of component needs; with the file and line.
    """
    sources = read_sources(folder)
    return [c for module in sources.modules.values() for c in _of_module(sources, module)]


def _of_module(sources: Sources, module: Module) -> Iterator[Declared]:
    top = {id(s) for s in top_level(module.tree.body)}
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        found = [d for d in node.decorator_list if _decorator(sources, module, d) in KIND_OF]
        if not found:
            continue
        where = module.place(found[0])
        if not isinstance(node, ast.ClassDef):
            raise PluginError(f"'{node.name}' is no class", where=where, hint="decorate a class")
        if id(node) not in top:
            raise PluginError(
                f"the component '{node.name}' is not at the top level of its module",
                where=where,
                hint="nothing else could import it: move it there",
            )
        if len(found) > 1:
            raise PluginError(f"'{node.name}' is declared twice", where=where, hint="keep one")
        yield _Class(sources, module, node).declared(found[0])


def _decorator(sources: Sources, module: Module, node: ast.expr) -> str | None:
    """The name of Brainsmith's decorator that this is, or None."""
    name = sources.resolve(module, node.func if isinstance(node, ast.Call) else node)
    home, _, last = (name or "").rpartition(".")
    return last if f"{home}." in _HOMES else None


@dataclass(frozen=True)
class _Class:
    sources: Sources
    module: Module
    node: ast.ClassDef

    def declared(self, decorator: ast.expr) -> Declared:
        which = _decorator(self.sources, self.module, decorator) or ""
        kind, where = KIND_OF[which], self.module.place(decorator)
        given = self._arguments(decorator, which, where)
        self._check_members(kind, where)
        entry: dict[str, Any] = {
            "name": given["name"],
            "module": self.module.name,
            "class": self.node.name,
            "operation": given.get("operation_type"),
            "stage": given.get("stage"),
            "description": given.get("description"),
            "version": given.get("version"),
            "tags": given.get("tags"),
        }
        if kind == "kernels":
            constraints = self._constraints()
            entry["backends"] = self._backends(where)
            entry["datatypes"] = constraints.get("supported_dtypes")
            entry["constraints"] = constraints
        if kind == "transforms":
            entry["compatible_kernels"] = self._compatible_kernels()
        entry["requires"] = self._requires()
        return Declared(kind, {key: value for key, value in entry.items() if value}, where)

    def _arguments(self, decorator: ast.expr, which: str, where: str) -> dict[str, Any]:
        """The keyword arguments of a decorator, checked as the decorator itself does."""
        if not isinstance(decorator, ast.Call):
            raise PluginError(f"@{which} has no arguments", where=where, hint=f"@{which}(name=...)")
        if decorator.args:
            raise PluginError(
                f"an argument of @{which} has no name", where=where, hint="write name=..."
            )
        valid = {
            p.name: p.default
            for p in inspect.signature(getattr(decorators, which)).parameters.values()
            if p.kind is p.KEYWORD_ONLY
        }
        given: dict[str, Any] = {}
        for keyword in decorator.keywords:
            place = self.module.place(keyword.value)
            if keyword.arg is None:
                raise _no_literal(f"**arguments of @{which}", place)
            if keyword.arg not in valid:
                hint = nearest(keyword.arg, valid)
                raise PluginError(
                    f"@{which} has no argument '{keyword.arg}'", where=place, hint=hint
                )
            value = self._literal(keyword.value, f"'{keyword.arg}' of @{which}")
            given[keyword.arg] = _fitting(value, valid[keyword.arg], keyword.arg, place)
        for needed in ("name", "operation_type", "stage"):
            if needed in valid and not given.get(needed):
                raise PluginError(f"@{which} needs '{needed}'", where=where)
        return given

    def _literal(self, node: ast.expr, what: str) -> Any:
        try:
            return ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
            raise _no_literal(what, self.module.place(node)) from error

    def _check_members(self, kind: str, where: str) -> None:
        for member in _NEEDED.get(kind, ()):
            if not any(_binds(s, member) for c in self._bases() for s in c.node.body):
                if not self._bases_known():
                    return
                raise PluginError(
                    f"'{self.node.name}' has no '{member}', which its kind of component needs",
                    where=where,
                )

    def _bases(self) -> list[_Class]:
        """This class and those that it inherits from, as far as the plugin has them."""
        found: list[_Class] = []
        left = [self]
        while left:
            cls = left.pop(0)
            if any(cls.node is known.node for known in found):
                continue
            found.append(cls)
            left += [base for b in cls.node.bases if (base := cls._base(b)) is not None]
        return found

    def _base(self, expression: ast.expr) -> _Class | None:
        name = self.sources.resolve(self.module, expression)
        found = self.sources.find_class(name) if name else None
        return _Class(self.sources, *found) if found else None

    def _bases_known(self) -> bool:
        return all(
            c._base(b) is not None or (isinstance(b, ast.Name) and b.id == "object")
            for c in self._bases()
            for b in c.node.bases
        )

    def _attribute(self, name: str) -> tuple[_Class, ast.stmt] | None:
        """The statement that binds a class attribute, and the class it is in."""
        for cls in self._bases():
            for statement in reversed(cls.node.body):
                if _binds(statement, name):
                    return cls, statement
        return None

    def _constraints(self) -> dict[str, Any]:
        found = self._attribute("constraints")
        if found is None:
            return {}
        cls, statement = found
        value = getattr(statement, "value", None)
        if value is None:
            raise _no_literal("'constraints'", cls.module.place(statement))
        read = cls._literal(value, "'constraints'")
        if not isinstance(read, dict) or not all(isinstance(key, str) for key in read):
            place = cls.module.place(value)
            raise PluginError("'constraints' is no dictionary with names as keys", where=place)
        return {key: _plain(item) for key, item in read.items()}

    def _backends(self, where: str) -> list[str]:
        """The backends, the default one first, then as they stand in the class."""
        methods: dict[str, str] = {}  # a method of a base class counts where it is not overridden
        defaults: list[str] = []
        seen: set[str] = set()
        for cls in self._bases():
            for node in cls.node.body:
                if not isinstance(node, ast.FunctionDef) or node.name in seen:
                    continue
                seen.add(node.name)
                for name, default, place in cls._marks(node):
                    if methods.setdefault(name, node.name) != node.name:
                        raise PluginError(f"two methods are the backend '{name}'", where=place)
                    defaults += [name] if default else []
        if not methods and self._bases_known():
            raise PluginError("a kernel needs a method marked @backend(...)", where=where)
        if len(defaults) > 1:
            raise PluginError(f"two default backends: {', '.join(defaults)}", where=where)
        return [*defaults, *(name for name in methods if name not in defaults)]

    def _marks(self, method: ast.FunctionDef) -> Iterator[tuple[str, bool, str]]:
        """(backend, whether it is the default, place) of each `@backend` of a method."""
        for node in method.decorator_list:
            if _decorator(self.sources, self.module, node) != "backend":
                continue
            place = self.module.place(node)
            if not isinstance(node, ast.Call):
                raise PluginError("@backend has no arguments", where=place, hint='@backend("rtl")')
            given = {k.arg or "**": k.value for k in node.keywords}
            if node.args:
                given["name"] = node.args[0]
            known = ("name", "default", "composition")
            unknown = next((key for key in given if key not in known), None)
            if unknown is not None or len(node.args) > 1 or "name" not in given:
                raise PluginError("@backend takes a name, `default` and `composition`", where=place)
            read = {k: self._literal(v, f"'{k}' of @backend") for k, v in given.items()}
            name = str(read["name"])
            if name not in decorators.BACKENDS:
                hint = nearest(name, decorators.BACKENDS)
                raise PluginError(f"unknown backend '{name}'", where=place, hint=hint)
            yield name, bool(read.get("default")), place

    def _requires(self) -> list[str]:
        texts: list[str] = []
        for node in self.node.decorator_list:
            if _decorator(self.sources, self.module, node) == "requires":
                place = self.module.place(node)
                if not isinstance(node, ast.Call) or not node.args:
                    raise PluginError("@requires names no package", where=place, hint=REQUIRES_HINT)
                texts += [str(self._literal(a, "an argument of @requires")) for a in node.args]
        return texts

    def _compatible_kernels(self) -> list[str] | None:
        """Those of a class attribute or a property that returns a literal; None where it is code.

        A property may compute them, so one that is no literal is no mistake.
        """
        found = self._attribute("compatible_kernels")
        if found is None:
            return None
        statement = found[1]
        value = getattr(statement, "value", None)
        if isinstance(statement, ast.FunctionDef) and isinstance(statement.body[-1], ast.Return):
            value = statement.body[-1].value
        try:
            read = ast.literal_eval(value) if value is not None else None
        except (ValueError, TypeError):
            return None
        return list(map(str, read)) if isinstance(read, list | tuple) else None


def _binds(statement: ast.stmt, name: str) -> bool:
    match statement:
        case ast.FunctionDef(name=bound) | ast.ClassDef(name=bound):
            return bound == name
        case ast.Assign(targets=targets):
            return any(isinstance(t, ast.Name) and t.id == name for t in targets)
        case ast.AnnAssign(target=ast.Name(id=bound)):
            return bound == name
    return False


def _fitting(value: Any, default: Any, name: str, where: str) -> Any:
    """`value` as its argument's default is: a text, or a list of texts."""
    if isinstance(default, str):
        if isinstance(value, str):
            return value
        raise PluginError(f"'{name}' is no text: {value!r}", where=where)
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return list(value)
    raise PluginError(f"'{name}' is no list of texts: {value!r}", where=where)


def _plain(value: Any) -> Any:
    if isinstance(value, set):
        return sorted(value, key=repr)
    return list(value) if isinstance(value, tuple) else value


def _no_literal(what: str, where: str) -> PluginError:
    return PluginError(
        f"{what} is no literal",
        where=where,
        hint="write the value itself: the manifest is made without running the code",
    )
