"""Why there is nothing to compare, and what comes nearest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from brainsmith.comparison.front import Setting
from brainsmith.comparison.kernels import Found
from brainsmith.errors import ConfigurationError

_SHOWN = 3


def nothing_taken(setting: Setting, found: Sequence[Found]) -> ConfigurationError:
    """The kernels of a plugin take no node of the model: what is nearest."""
    names = ", ".join(one.own.kernel.name for one in found)
    return ConfigurationError(
        f"the plugin '{setting.plugin.name}' takes no node of {setting.path.name}",
        where=names,
        hint="\n    ".join(sentence for one in found for sentence in _nearest(one)),
    )


def _nearest(found: Found) -> list[str]:
    operation = found.own.info.operation_type
    kernel = found.own.kernel.name
    near = found.taken.refused
    if near:
        shown = [f"{one.node} ({one.op_type}): {one.reason}" for one in near[:_SHOWN]]
        more = f"and {len(near) - _SHOWN} more nodes" if len(near) > _SHOWN else ""
        return [f"nearest to {kernel}: {shown[0]}", *shown[1:], *([more] if more else [])]
    kinds = Counter(one.op_type for one in found.taken.others)
    there = ", ".join(f"{kind} ({count})" for kind, count in kinds.most_common())
    return [f"{kernel} computes '{operation}', of which the model has nothing; it has {there}"]


def nothing_to_compare(setting: Setting) -> ConfigurationError:
    raise NotImplementedError
