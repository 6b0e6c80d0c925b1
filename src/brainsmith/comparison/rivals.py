"""What each node is compared with: the built-in kernel that takes it, or the one that was named."""

from __future__ import annotations

from brainsmith.comparison.front import Setting
from brainsmith.comparison.nodes import Found, taken
from brainsmith.compiler.mapping import Candidate
from brainsmith.errors import ConfigurationError

Rivals = dict[str, tuple[Candidate | None, str]]


def rivals(setting: Setting, found: Found, against: str | None) -> Rivals:
    """By node, the kernel to compare with, or None and why there is none.

    Raises:
        ConfigurationError: `against` is no kernel.
    """
    own, nodes = found.own, found.taken.mapped
    options = [named(setting, against)] if against is not None else setting.builtin()
    same = [o for o in options if o.operation.full_name == own.operation.full_name]
    if not same:
        operation = own.info.operation_type
        why = f"there is no built-in kernel for '{operation}'"
        if against is not None:
            other = options[0].info.operation_type
            why = f"{options[0].kernel.full_name} computes '{other}', not '{operation}'"
        return {node.node: (None, why) for node in nodes}
    if same[0].kernel.full_name == own.kernel.full_name:
        return {node.node: (None, "it would be compared with itself") for node in nodes}
    others: Rivals = {}
    for option in same:
        there = taken(found.model, option, setting.target.family, found.composed)
        reasons = {one.node: one.reason for one in there.refused}
        mine = {one.node for one in there.mapped}
        for node in nodes:
            if others.get(node.node, (None, ""))[0] is not None:
                continue
            reason = reasons.get(node.node, "")
            why = (
                f"{option.kernel.full_name} does not take it: {reason}"
                if reason
                else (f"{option.kernel.full_name} does not take it")
            )
            others[node.node] = (option, "") if node.node in mine else (None, why)
    return others


def named(setting: Setting, against: str) -> Candidate:
    """The kernel that was named to compare with.

    Raises:
        ConfigurationError: there is no such kernel.
    """
    try:
        kernel = setting.registry.get("kernels", against)
    except ConfigurationError as error:
        raise ConfigurationError(error.what, where="--against", hint=error.hint) from error
    return setting.candidate(kernel)
