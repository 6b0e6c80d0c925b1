"""Code that runs in workers: described, called and applied as if it were here."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Hashable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainsmith.api import KernelConfig, Match, NoMatch, Resources
from brainsmith.errors import ModelError, PluginError
from brainsmith.model.model import Model
from brainsmith.plugins import failures
from brainsmith.plugins.applying import ends_of, keep_ends
from brainsmith.plugins.code import Call, Matcher, Use
from brainsmith.plugins.description import Description
from brainsmith.plugins.inside import part_of
from brainsmith.plugins.kinds import SINGULAR
from brainsmith.sandbox.bundle import Bundle, pack
from brainsmith.sandbox.codec import CodecError
from brainsmith.sandbox.execution import Subject, execute
from brainsmith.sandbox.foreign import accept
from brainsmith.sandbox.surroundings import module_path

if TYPE_CHECKING:
    import onnx_ir as ir

    from brainsmith.plugins.plugin import Component, Plugin

LIBRARY = "library"  # the origin of what is in an installed package, without a plugin
INSIDE = "brainsmith.plugins.inside"
COSTS = ("interval", "latency", "resources")
_MOST_COSTS = 50_000  # configurations that are remembered
_MAX_DIM = 1 << 31


class Confined:
    """The class of a component, in workers; each call is one, with an instance of its own."""

    def __init__(self, component: Component) -> None:
        self._component = component
        # By identity of the configuration, which is kept with its costs.
        self._known: dict[int, tuple[KernelConfig, dict[str, Any]]] = {}

    @property
    def place(self) -> Hashable:
        plugin = self._component.plugin
        return plugin.origin if plugin.origin == LIBRARY else id(plugin)

    @property
    def cls(self) -> type:
        raise PluginError(
            "the plugin's code is not run in this process",
            where=self._component.full_name,
            hint="only for the level L0, which is no protection, it is",
        )

    @cached_property
    def description(self) -> Description:
        component = self._component
        component.check_requirements()
        label = f"{SINGULAR[component.kind]} {component.name}"
        told = self._execute("describe", part_of(component), what=label, whole=True)
        found = Description.from_data(told, component.kind, component.full_name)
        component.check_told_requirements(found.info.requires)
        return found

    @cached_property
    def instance(self) -> Any:
        return Proxy(self)

    def calls(self, calls: Sequence[Call]) -> list[Any]:
        if not calls:
            return []
        asked = [(method, tuple(arguments)) for method, arguments in calls]
        what = ", ".join(dict.fromkeys(method for method, _ in asked))
        found = self._execute("calls", part_of(self._component), asked, what=what)
        if not isinstance(found, list) or len(found) != len(calls):
            raise self._wrong("answered other calls than were made")
        return found

    def prepare(self, batches: Sequence[Sequence[KernelConfig]]) -> None:
        """Asks all cost models for what is not known yet: which is asked for first is no matter."""
        methods = tuple(name for name in COSTS if name in self.description.methods)
        new = [[c for c in batch if id(c) not in self._known] for batch in batches]
        wanted = [batch for batch in new if batch]
        if not methods or not wanted:
            return
        if len(self._known) > _MOST_COSTS:
            self._known.clear()
        what = ", ".join(methods)
        found = self._execute("costs", part_of(self._component), methods, wanted, what=what)
        if not isinstance(found, list) or len(found) != len(wanted):
            raise self._wrong("gave other costs than were asked for")
        for batch, costs in zip(wanted, found, strict=True):
            if not self._is_costs(costs, methods, batch):
                raise self._wrong("gave costs of other configurations than were asked for")
            for number, config in enumerate(batch):
                of_one = {method: costs[method][number] for method in methods}
                self._known[id(config)] = (config, of_one)

    def costs(self, method: str, configs: Sequence[KernelConfig]) -> list[Any]:
        """What a cost model says of each configuration."""
        self.prepare([configs])
        where = self._where(method)
        kind = Resources if method == "resources" else (int, float)
        values = []
        for config in configs:
            value = failures.answer(self._known[id(config)][1][method], where)
            if not isinstance(value, kind):
                raise PluginError(f"'{method}' returned {type(value).__name__}", where=where)
            values.append(value)
        return values

    def matcher(self, model: Model) -> Matcher:
        answers: dict[int, Any] = {}
        where = self._where("match")

        def match(node: ir.Node) -> Match | NoMatch:
            if not answers:
                answers.update(self._matches(model))
            found = failures.answer(answers[id(node)], where)
            if not isinstance(found, Match | NoMatch):
                raise PluginError(f"'match' returned {type(found).__name__}", where=where)
            return found

        return match

    def apply(self, model: Model, uses: Sequence[Use]) -> Model:
        ends = ends_of(model)
        asked = [(part_of(use.component), use.config, use.name) for use in uses]
        names = ", ".join(use.name for use in uses)
        what = f"transform{'s' * (len(uses) > 1)} {names}"
        found = self._execute("transform", pack(model), asked, what=what, whole=True)
        where = f"plugin {self._component.plugin.name}, {what}"
        if not isinstance(found, Bundle):
            raise PluginError("it returned no model", where=where)
        try:
            after = accept(found)
        except ModelError as error:
            place = f"{where}: {error.where}" if error.where else where
            raise PluginError(
                f"the model that it returned cannot be used: {error.what}", where=place
            ) from error
        keep_ends(after, ends, where)
        return after

    def _matches(self, model: Model) -> dict[int, Any]:
        nodes = list(model.graph)
        found = self._execute("match", part_of(self._component), pack(model), what="match")
        if not isinstance(found, list) or len(found) != len(nodes):
            raise self._wrong("matched other nodes than there are")
        for one in found:
            sizes = one.dims.values() if isinstance(one, Match) else ()
            if any(not 0 < size <= _MAX_DIM for size in sizes):
                raise self._wrong("matched a node with an impossible size")
        return {id(node): one for node, one in zip(nodes, found, strict=True)}

    def _is_costs(self, costs: Any, methods: Sequence[str], batch: Sequence[KernelConfig]) -> bool:
        return isinstance(costs, dict) and all(
            isinstance(costs.get(name), list) and len(costs[name]) == len(batch) for name in methods
        )

    def _execute(self, function: str, *arguments: Any, what: str, whole: bool = False) -> Any:
        return run_in_worker(
            self._component.plugin, function, arguments, label=what if whole else self._label(what)
        )

    def _label(self, what: str) -> str:
        return f"{SINGULAR[self._component.kind]} {self._component.name}: {what}"

    def _where(self, method: str) -> str:
        return f"plugin {self._component.plugin.name}, {self._label(method)}"

    def _wrong(self, what: str) -> PluginError:
        return PluginError(
            f"the plugin's process {what}",
            where=self._component.full_name,
            hint="only code that gets around Brainsmith's own does that: do not trust this plugin",
        )


class Proxy:
    """What stands for an instance: it has the methods of the class, and nothing else."""

    def __init__(self, code: Confined) -> None:
        self.__code = code

    def __repr__(self) -> str:
        return f"<instance in a worker: {self.__code._component.full_name}>"

    def __getattr__(self, name: str) -> Any:
        code = self.__code
        if name not in code.description.methods:
            full_name = code._component.full_name
            raise AttributeError(f"'{full_name}' has no method '{name}'", name=name, obj=self)
        if name in COSTS and code._component.kind == "kernels":
            return functools.partial(code.costs, name)
        return lambda *arguments: code.calls([(name, arguments)])[0]


def run_in_worker(plugin: Plugin, function: str, arguments: Sequence[Any], *, label: str) -> Any:
    """What a function of `inside` returns that runs where a plugin's code may."""
    settings = plugin.settings
    try:
        return execute(
            _subject(plugin),
            f"{INSIDE}:{function}",
            tuple(arguments),
            label=label,
            policy=settings.policy_for(plugin),
            level=settings.required,
            ledger=settings.ledger,
        )
    except CodecError as error:
        raise PluginError(
            f"a plugin is called with data alone: {error}", where=f"plugin {plugin.name}, {label}"
        ) from error


def vet(model: Model, plugins: Sequence[Plugin]) -> None:
    """Runs ONNX's checker and shape inference on a model that came from workers, in another one.

    What harms a program in C++ harms that worker, and not the process that goes on with the model.

    Raises:
        PluginError: it is refused, or the worker died of it.
    """
    plugin = plugins[-1]
    names = ", ".join(dict.fromkeys(one.name for one in plugins))
    settings = plugin.settings
    outline = dataclasses.replace(pack(model), tensors={}, origins={}, notes=())
    execute(
        Subject(names),
        f"{INSIDE}:verify",
        (outline,),
        label="checking the model that its transforms returned",
        policy=settings.policy_for(plugin),
        level=settings.required,
        ledger=settings.ledger,
    )


def _subject(plugin: Plugin) -> Subject:
    if plugin.origin == LIBRARY:
        return Subject(plugin.name)
    own = plugin.own_packages
    paths = [own] if own is not None else []
    if plugin.package:
        # Installed in place, a package may be found by a hook that workers do not have.
        above = plugin.root.joinpath(*[".."] * len(plugin.package.split("."))).resolve()
        if str(above) not in module_path():
            paths.append(above)
    return Subject(plugin.name, Path(plugin.root), tuple(paths))
