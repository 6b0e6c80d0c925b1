"""Mapping: for each node the first kernel whose operation matches and whose constraints hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import onnx_ir as ir

from brainsmith.api import IntType, KernelConfig, Match, NodeView, NoMatch, Part
from brainsmith.api.decorators import KernelInfo
from brainsmith.compiler.composition import part_config, wiring_at, wiring_of
from brainsmith.compiler.constraints import facts_of, failures
from brainsmith.compiler.inference import describe, infer_outputs
from brainsmith.compiler.strategy import CompilationStrategy, KernelSpec
from brainsmith.errors import BrainsmithError, ConfigurationError, nearest
from brainsmith.model.model import Model
from brainsmith.model.views import NodeView as GraphNode
from brainsmith.model.views import is_view
from brainsmith.plugins import Component, PluginRegistry
from brainsmith.plugins.code import Matcher

_AT_BORDER = "it only moves elements, which the host does as it hands the frame over"


@dataclass(frozen=True)
class Candidate:
    """A kernel with the backend and the parameters that the strategy gives it."""

    kernel: Component
    operation: Component
    backend: str
    params: Mapping[str, int | str]

    @property
    def info(self) -> KernelInfo:
        info: KernelInfo = self.kernel.info
        return info


@dataclass(frozen=True)
class Mapped:
    """A node that a kernel takes, or a part of one that is a composition.

    `node` names it, as a part "NODE.PART"; `nodes` are those of the model that it covers. `inputs`
    and `outputs` name the value at each stream port; between parts it is "NODE.PART.PORT".
    `whole` is the composition that a part belongs to.
    """

    node: str
    nodes: tuple[str, ...]
    candidate: Candidate
    config: KernelConfig
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    whole: Candidate | None = None

    @property
    def taker(self) -> Candidate:
        """The kernel that takes the node: that of the composition where this is a part."""
        return self.whole or self.candidate


@dataclass(frozen=True)
class OnHost:
    """A node that no kernel takes: why, and the kernel that came closest."""

    node: str
    op_type: str
    reason: str
    closest: str | None = None


@dataclass(frozen=True)
class NodeMapping:
    """The outcome of mapping, nodes in topological order.

    `alias` leads from the output of each view node (a reshape that moves no element) to the
    value that it is a view of. `warnings` are sentences about plugins, each with the component
    that it is about.
    """

    mapped: tuple[Mapped, ...]
    host: tuple[OnHost, ...]
    alias: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Unusable:
    """A kernel that nobody asked for and that cannot be used, and why."""

    kernel: Component
    error: BrainsmithError


def candidates(strategy: CompilationStrategy, registry: PluginRegistry) -> list[Candidate]:
    """The strategy's kernels in its order, then all others that can be used.

    Raises:
        ConfigurationError: the strategy names an unknown kernel, backend or parameter.
        PluginError: a kernel of the strategy cannot be loaded.
    """
    return usable(strategy, registry)[0]


def usable(
    strategy: CompilationStrategy, registry: PluginRegistry
) -> tuple[list[Candidate], list[Unusable]]:
    """The `candidates`, and the kernels of plugins that are none: the strategy did without them."""
    found = [candidate_of(spec, registry) for spec in strategy.kernels]
    named = {candidate.kernel.full_name for candidate in found}
    unusable = []
    for kernel in registry.components("kernels"):
        if kernel.full_name in named:
            continue
        try:
            found.append(candidate_of(KernelSpec(kernel.full_name), registry))
        except BrainsmithError as error:
            unusable.append(Unusable(kernel, error))
    return found, unusable


def map_model(
    model: Model,
    options: Sequence[Candidate],
    family: str,
    notes: Mapping[str, str],
    parts: Sequence[Candidate] | None = None,
) -> NodeMapping:
    """Maps every node of the model.

    Outputs whose datatype is not known get the range that their operation infers, on the model.

    Args:
        model: the model after the stages of transforms.
        options: the kernels to try, in this order.
        family: the target's device family.
        notes: why a transform left a node as it is, by node.
        parts: the kernels to try for the parts of a composition; `options` if None.
    """
    matchers = _Matchers(model)
    kernels = _Kernels(options, options if parts is None else parts)
    mapped: list[Mapped] = []
    host: list[OnHost] = []
    alias: dict[str, str] = {}
    taken: set[str] = set()
    for node in model.graph:
        view = GraphNode(model, node)
        if view.name in taken or view.op_type == "Constant":
            continue
        if is_view(node):
            alias[view.outputs[0].name] = _source(view)
            continue
        outcome = _map_node(matchers, node, view, kernels, family, notes.get(view.name))
        if isinstance(outcome, OnHost):
            host.append(outcome)
        else:
            mapped.extend(outcome)
            taken.update(name for one in outcome for name in one.nodes)
    inside, outside = _without_moves_at_borders(model, mapped, alias)
    return NodeMapping(tuple(inside), tuple(host + outside), alias)


def _without_moves_at_borders(
    model: Model, mapped: Sequence[Mapped], alias: Mapping[str, str]
) -> tuple[list[Mapped], list[OnHost]]:
    """The nodes but for those that only move elements on their way into the hardware or out."""
    inside = list(mapped)
    outside: list[OnHost] = []
    while True:
        made = {value for one in inside for value in one.outputs.values()}
        read = {resolve(alias, value) for one in inside for value in one.inputs.values()}
        moving = [one for one in inside if one.taker.operation.info.only_moves]
        leaving = [
            one
            for one in moving
            if not any(resolve(alias, value) in made for value in one.inputs.values())
            or not any(value in read for value in one.outputs.values())
        ]
        if not leaving:
            return inside, outside
        inside = [one for one in inside if one not in leaving]
        for name in (node for one in leaving for node in one.nodes):
            kind = next(node.op_type for node in model.graph if node.name == name)
            outside.append(OnHost(name, kind, _AT_BORDER))


def resolve(alias: Mapping[str, str], value: str) -> str:
    """The value that `value` is a view of, or itself."""
    while value in alias:
        value = alias[value]
    return value


def _source(view: NodeView) -> str:
    source = view.inputs[0]
    if source is None:  # a view without its tensor is no valid ONNX
        raise ConfigurationError("the node has no input", where=view.name)
    return source.name


def candidate_of(spec: KernelSpec, registry: PluginRegistry) -> Candidate:
    """The kernel that a specification names.

    Raises:
        ConfigurationError: an unknown kernel, backend or parameter.
        PluginError: it cannot be loaded.
    """
    kernel = registry.get("kernels", spec.name)
    info: KernelInfo = kernel.info
    backend = spec.backend or info.default_backend
    if backend not in info.backends:
        raise ConfigurationError(
            f"the kernel has no backend '{backend}'",
            where=spec.name,
            hint=nearest(backend, info.backends),
        )
    params = {name: param.default for name, param in info.params.items()}
    for name, value in spec.params.items():
        if name not in info.params:
            raise ConfigurationError(
                f"the kernel has no parameter '{name}'",
                where=spec.name,
                hint=nearest(name, info.params),
            )
        params[name] = info.params[name].check(name, value, spec.name)
    operation = registry.operation_of(kernel)
    return Candidate(kernel, operation, backend, params)


class _Matchers:
    """What operations say of the nodes of a model: each is asked once of each node."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._matchers: dict[str, Matcher] = {}
        self._answers: dict[tuple[str, int], Match | NoMatch] = {}

    def ask_again(self) -> None:
        """Forgets the answers: a datatype has become known, of which some may depend."""
        self._matchers.clear()
        self._answers.clear()

    def match(self, operation: Component, node: ir.Node) -> Match | NoMatch:
        name = operation.full_name
        key = (name, id(node))
        if key not in self._answers:
            if name not in self._matchers:
                self._matchers[name] = operation.code.matcher(self.model)
            self._answers[key] = self._matchers[name](node)
        return self._answers[key]


@dataclass(frozen=True)
class _Kernels:
    """What is tried in turn for nodes, and for the parts of compositions."""

    nodes: Sequence[Candidate]
    parts: Sequence[Candidate]


def _map_node(
    matchers: _Matchers,
    node: ir.Node,
    view: NodeView,
    kernels: _Kernels,
    family: str,
    note: str | None,
) -> Sequence[Mapped] | OnHost:
    """The node, or its parts; or why no kernel takes it."""
    reasons: list[tuple[str, str]] = []
    for option in kernels.nodes:
        operation = option.operation
        match = matchers.match(operation, node)
        if isinstance(match, NoMatch):
            if match.close:
                reasons.append((option.kernel.name, match.reason))
            continue
        if infer_outputs(matchers.model, match, operation, view.name):
            matchers.ask_again()
        config = _config(matchers.model, view.name, match, option, family)
        constraints = option.info.constraints
        facts = facts_of(operation.instance, config) if constraints else {}
        failed = failures(constraints, facts, option.kernel.full_name)
        if not failed:
            taken = _mapped(view.name, match, option, config)
            if option.backend not in option.info.compositions:
                return [taken]
            parts = parts_of(taken, kernels.parts)
            if not isinstance(parts, str):
                return parts
            failed = [parts]
        reasons.append((option.kernel.name, "; ".join(failed)))
    return _on_host(view, reasons, note)


def _on_host(view: NodeView, reasons: Sequence[tuple[str, str]], note: str | None) -> OnHost:
    name = f"{view.domain}::{view.op_type}" if view.domain else view.op_type
    if reasons:
        closest, reason = reasons[0]
        return OnHost(view.name, name, f"{note}; {reason}" if note else reason, closest)
    return OnHost(view.name, name, note or f"no kernel computes {name}")


def parts_of(whole: Mapped, options: Sequence[Candidate]) -> list[Mapped] | str:
    """The parts of a node whose kernel is a composition, or why one has no kernel.

    A part is taken by the first kernel of its operation whose constraints hold.

    Raises:
        PluginError: the kernel returned no composition, or one whose parts do not fit together.
    """
    candidate = whole.candidate
    method = candidate.info.backends[candidate.backend]
    composition = candidate.kernel.code.calls([(method, (whole.config,))])[0]
    wiring = wiring_of(composition, whole, candidate.kernel.full_name)
    parts = []
    for part in composition.parts:
        made = _part(part, whole, wiring, options)
        if isinstance(made, str):
            return made
        parts.append(made)
    return parts


def _part(
    part: Part, whole: Mapped, wiring: Mapping[str, str], options: Sequence[Candidate]
) -> Mapped | str:
    reasons = []
    for option in options:
        if option.info.operation_type != part.operation:
            continue
        config = part_config(part, whole, option.operation.info.nest, option.params)
        facts = facts_of(option.operation.instance, config)
        failed = failures(option.info.constraints, facts, option.kernel.full_name)
        if failed:
            reasons.append(f"{option.kernel.name}: {'; '.join(failed)}")
            continue
        match = Match(
            part.dims, wiring_at(part, wiring), part.statics, part.attributes, whole.nodes
        )
        return replace(_mapped(config.node, match, option, config), whole=whole.candidate)
    why = " or ".join(reasons) or f"no kernel computes '{part.operation}'"
    return f"its part '{part.name}' has no kernel: {why}"


def _config(model: Model, node: str, match: Match, option: Candidate, family: str) -> KernelConfig:
    dtypes: dict[str, IntType] = {}
    ranges: dict[str, tuple[int, int]] = {}
    for port, name in match.ports.items():
        dtypes[port], ranges[port] = describe(model, name, match.statics.get(port), node)
    return KernelConfig(
        node=node,
        nest=option.operation.info.nest,
        dims=match.dims,
        dtypes=dtypes,
        ranges=ranges,
        statics=match.statics,
        attributes=match.attributes,
        params=option.params,
        family=family,
    )


def _mapped(node: str, match: Match, option: Candidate, config: KernelConfig) -> Mapped:
    streams = {p.name: p for p in config.nest.ports if p.name in match.ports}
    live = {n: p for n, p in streams.items() if n not in match.statics}
    return Mapped(
        node=node,
        nodes=match.nodes or (node,),
        candidate=option,
        config=config,
        inputs={n: match.ports[n] for n, p in live.items() if p.direction == "in"},
        outputs={n: match.ports[n] for n, p in live.items() if p.direction == "out"},
    )
