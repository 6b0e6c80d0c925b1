"""Why there is nothing to compare, and what comes nearest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from brainsmith.api import Match
from brainsmith.comparison.front import Setting
from brainsmith.comparison.nodes import Found
from brainsmith.errors import ConfigurationError
from brainsmith.model.model import Model
from brainsmith.plugins import Component

_SHOWN = 3


def nothing_taken(setting: Setting, found: Sequence[Found]) -> ConfigurationError:
    """The kernels of a plugin take no node of the model: what is nearest."""
    return ConfigurationError(
        f"the plugin '{setting.plugin.name}' takes no node of {setting.path.name}",
        where=", ".join(one.own.kernel.full_name for one in found),
        hint="\n    ".join(sentence for one in found for sentence in _nearest(one)),
    )


def nothing_to_compare(setting: Setting, model: Model) -> ConfigurationError:
    """A plugin without kernels, transforms and strategies: what can be done with it instead."""
    plugin, model_name = setting.plugin, setting.path.name
    kinds = sorted({component.kind for component in plugin.components})
    said = [
        _operation(setting, one, model) for one in plugin.components if one.kind == "operations"
    ]
    said += [
        f"compile for its target: brainsmith compile {model_name} --target {one.full_name}; or "
        f"test a plugin with kernels for it: brainsmith test-plugin NAME --target {one.full_name}"
        for one in plugin.components
        if one.kind == "targets"
    ]
    what = f"the plugin '{plugin.name}' has nothing that can be compared"
    if not kinds:
        hint = f"its manifest lists no components: `brainsmith manifest sync {plugin.root}`"
        return ConfigurationError(what, where=str(plugin.path), hint=hint)
    return ConfigurationError(
        f"{what}: it brings {' and '.join(kinds)} alone",
        where=str(plugin.path),
        hint="\n    ".join(said),
    )


def _nearest(found: Found) -> list[str]:
    operation = found.own.info.operation_type
    kernel = found.own.kernel.name
    reasons: dict[str, list[str]] = {}
    for one in found.taken.refused:
        reasons.setdefault(one.reason, []).append(f"{one.node} ({one.kind})")
    if reasons:
        shown = [f"{_some(nodes)}: {reason}" for reason, nodes in reasons.items()][:_SHOWN]
        more = len(reasons) - len(shown)
        last = [f"and {more} more reasons, which `brainsmith explain` shows"] if more else []
        return [f"nearest to {kernel}: {shown[0]}", *shown[1:], *last]
    kinds = Counter(one.op_type for one in found.taken.others)
    there = ", ".join(f"{kind} ({count})" for kind, count in kinds.most_common())
    return [f"{kernel} computes '{operation}', of which the model has no node; it has {there}"]


def _operation(setting: Setting, operation: Component, model: Model) -> str:
    """What an operation without a kernel of its own plugin matches, and what could build it."""
    match = operation.code.matcher(model)
    nodes = [node.name or "" for node in model.graph if isinstance(match(node), Match)]
    matched = f"'{operation.name}' matches {_some(nodes) or 'no node'}"
    kernels = [
        kernel.full_name
        for kernel in setting.registry.components("kernels")
        if kernel.record.get("operation") == operation.name
    ]
    if kernels:
        return f"{matched}; test the plugin of a kernel for it: {', '.join(kernels)}"
    return f"{matched}; nothing is built of it before there is a kernel for it"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
