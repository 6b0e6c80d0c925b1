"""Constraints of a kernel: literals over facts of a node, evaluated by the host.

A key is a rule and the name of a fact: `min_K`, `max_x_bits`, `multiple_of_M`,
`supported_dtypes`, `supported_w_dtypes`. An operation may name further facts (`facts`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from brainsmith.api import KernelConfig
from brainsmith.errors import PluginError, nearest

_WANTED = {
    "min_": "a number",
    "max_": "a number",
    "multiple_of_": "a whole number above 0",
    "supported_": "a list",
}
RULES = tuple(_WANTED)


def facts_of(operation: Any, config: KernelConfig) -> dict[str, object]:
    """Facts about a node that constraints may speak of.

    For every loop and dimension its size; `size`, the product of the loops; `dtypes`, the names
    of the inputs' datatypes, static ones included; for every port `PORT_bits` and
    `PORT_dtypes`; what the operation adds.
    """
    facts: dict[str, object] = dict(config.dims)
    facts["size"] = config.nest.cycles(config.dims, {})
    inputs = {port.name for port in config.nest.ports if port.direction == "in"}
    facts["dtypes"] = sorted({d.name for port, d in config.dtypes.items() if port in inputs})
    for port, dtype in config.dtypes.items():
        facts[f"{port}_bits"] = dtype.bits
        facts[f"{port}_dtypes"] = [dtype.name]
    extra = getattr(operation, "facts", None)
    if extra is not None:
        facts.update(extra(config))
    return facts


def failures(constraints: Mapping[str, Any], facts: Mapping[str, object], where: str) -> list[str]:
    """A sentence for each constraint that does not hold.

    Raises:
        PluginError: a key has an unknown rule or names a fact that the operation does not have, or
            its value is none that the rule can compare with.
    """
    return [
        sentence
        for key, wanted in constraints.items()
        if (sentence := _failure(key, wanted, facts, where))
    ]


def _failure(key: str, wanted: Any, facts: Mapping[str, object], where: str) -> str | None:
    rule = next((r for r in RULES if key.startswith(r)), None)
    if rule is None:
        raise PluginError(
            f"unknown constraint '{key}'", where=where, hint=f"a key starts with {', '.join(RULES)}"
        )
    name = key[len(rule) :]
    if name not in facts:
        raise PluginError(
            f"the constraint '{key}' names the unknown fact '{name}'",
            where=where,
            hint=nearest(name, facts),
        )
    fact = facts[name]
    if not _is_wanted(rule, wanted):
        raise PluginError(
            f"the constraint '{key}' is {wanted!r}", where=where, hint=f"{rule}* is {_WANTED[rule]}"
        )
    if rule == "supported_":
        given = fact if isinstance(fact, list) else [fact]
        bad = [item for item in given if item not in wanted]
        return f"{key} is {wanted}, the node has {', '.join(map(str, bad))}" if bad else None
    if not isinstance(fact, int):
        raise PluginError(f"'{name}' is no number, so '{key}' cannot be checked", where=where)
    return None if _holds(rule, fact, wanted) else f"{key} is {wanted}, the node has {fact}"


def _is_wanted(rule: str, wanted: Any) -> bool:
    if rule == "supported_":
        return isinstance(wanted, list | tuple | set | frozenset)
    if isinstance(wanted, bool):
        return False
    if rule == "multiple_of_":
        return isinstance(wanted, int) and wanted > 0
    return isinstance(wanted, int | float)


def _holds(rule: str, fact: int, wanted: Any) -> bool:
    if rule == "min_":
        return bool(fact >= wanted)
    if rule == "max_":
        return bool(fact <= wanted)
    return bool(fact % wanted == 0)
