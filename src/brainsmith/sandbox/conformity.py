"""Whether values are what a dataclass's fields are annotated with: checks made from annotations."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Literal, Union

import numpy as np
from numpy.typing import NDArray

from brainsmith.api.loops import LoopNest
from brainsmith.model.datatypes import IntType

Seen = set[tuple[int, int]]
"""Pairs of a value and a check that held; both must live as long as the set is used."""
Check = Callable[[Any, Seen], bool]

# Names that the modules of records import for type checkers alone.
_NAMES = {"np": np, "NDArray": NDArray, "IntType": IntType, "LoopNest": LoopNest}
_NUMBERS: dict[object, tuple[type, ...]] = {
    int: (int, np.integer),
    float: (int, float, np.integer, np.floating),
}


@dataclasses.dataclass(frozen=True)
class Field:
    """A field of a dataclass: its name, its annotation as text, and the check of its values."""

    name: str
    expected: str
    check: Check


@cache
def fields_of(cls: type) -> tuple[Field, ...]:
    """The fields of a dataclass, in the order of its constructor.

    A number of NumPy is as good as one of Python, a list as good as a tuple; the keys of
    mappings are text.
    """
    hints = typing.get_type_hints(cls, localns=_NAMES)
    return tuple(
        Field(field.name, str(field.type), _check_of(hints[field.name]))
        for field in dataclasses.fields(cls)
    )


@cache
def _check_of(annotation: Any) -> Check:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in (Any, object):
        return _anything
    if annotation in _NUMBERS:
        return _instance(*_NUMBERS[annotation])
    if origin in (Union, types.UnionType):
        return _one_of(tuple(_check_of(argument) for argument in arguments))
    if origin is Literal:
        return lambda value, seen: value in arguments
    if origin in (tuple, list):
        return _items(arguments, fixed=origin is tuple and arguments[-1] is not Ellipsis)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(_check_of(arguments[1]))
    return _instance(origin or annotation)


def _anything(value: Any, seen: Seen) -> bool:
    return True


def _instance(*kinds: type) -> Check:
    return lambda value, seen: isinstance(value, kinds)


def _one_of(checks: tuple[Check, ...]) -> Check:
    return lambda value, seen: any(check(value, seen) for check in checks)


def _items(arguments: tuple[Any, ...], *, fixed: bool) -> Check:
    checks = [_check_of(argument) for argument in arguments if argument is not Ellipsis]

    def check(value: Any, seen: Seen) -> bool:
        if not isinstance(value, (tuple, list)):
            return False
        if fixed:
            return len(value) == len(checks) and all(
                one(item, seen) for one, item in zip(checks, value, strict=True)
            )
        return all(checks[0](item, seen) for item in value)

    return _once(check)


def _mapping(values: Check) -> Check:
    def check(value: Any, seen: Seen) -> bool:
        return isinstance(value, Mapping) and all(
            isinstance(key, str) and values(item, seen) for key, item in value.items()
        )

    return _once(check)


def _once(check: Check) -> Check:
    """The check, but of each value a single time: many records share one container."""

    def checked(value: Any, seen: Seen) -> bool:
        key = (id(value), id(checked))
        if key in seen:
            return True
        held = check(value, seen)
        if held:
            seen.add(key)
        return held

    return checked
