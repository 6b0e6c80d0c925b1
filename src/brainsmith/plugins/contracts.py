"""Whether a class is what its manifest entry and its decorator promise."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from brainsmith.api.decorators import (
    INFO,
    KernelInfo,
    OperationInfo,
    TargetInfo,
    TransformInfo,
    info_of,
    redefines_of,
    tolerance_of,
)
from brainsmith.errors import PluginValidationError
from brainsmith.plugins.kinds import SINGULAR

Info = KernelInfo | TransformInfo | OperationInfo | TargetInfo
INFO_KINDS: dict[str, type] = {
    "operations": OperationInfo,
    "kernels": KernelInfo,
    "transforms": TransformInfo,
    "targets": TargetInfo,
}
_DECORATORS = {"operations": "@operation", "kernels": "@kernel", "transforms": "@transform"}
_QONNX_BASE = "qonnx.transformation.base.Transformation"
_CALLED_WITH: dict[str, dict[str, int]] = {
    "kernels": {"interval": 1, "latency": 1, "resources": 1, "schedule": 1},
    "operations": {
        "match": 1,
        "infer": 2,
        "reference": 2,
        "extremes": 1,
        "example": 3,
        "rows": 3,
    },
    "transforms": {"apply": 2},
}


def is_qonnx(cls: type) -> bool:
    """Whether this is a QONNX `Transformation`, which needs no decorator."""
    return any(f"{base.__module__}.{base.__qualname__}" == _QONNX_BASE for base in cls.__mro__)


def checked_info(found: object, kind: str, record: Mapping[str, Any], where: str) -> Info:
    """What the class says of itself, if it keeps its contract.

    Args:
        found: what the manifest's module has under the class's name.
        kind: the component's kind.
        record: the manifest's entry.
        where: the component's full name, for errors.

    Raises:
        PluginValidationError: which part of the contract is broken.
    """
    if not isinstance(found, type):
        raise _broken(f"'{record['class']}' is no class but {type(found).__name__}", where)
    if kind == "transforms" and is_qonnx(found) and INFO not in vars(found):
        return _qonnx_info(found, record)
    info = _info(found, kind, where)
    if info.name != record["name"]:
        raise _broken(
            f"the manifest calls it '{record['name']}', its decorator '{info.name}'",
            where,
            "give both the same name: `brainsmith manifest sync` does",
        )
    _check_agreement(info, record, where)
    if isinstance(info, KernelInfo):
        _check_backends(found, info, where)
    for method, arguments in _CALLED_WITH.get(kind, {}).items():
        if hasattr(found, method):
            _check_call(found, method, arguments, where)
    return info


def _info(found: type, kind: str, where: str) -> Info:
    decorator = _DECORATORS.get(kind, "@target")
    if INFO not in vars(found):
        raise _broken(
            f"the class '{found.__qualname__}' has no decorator",
            where,
            f"put {decorator}(...) above it",
        )
    info = info_of(found)
    if not isinstance(info, INFO_KINDS[kind]):
        raise _broken(
            f"the manifest lists '{found.__qualname__}' as one of the {kind}, "
            f"its decorator makes it another kind of component",
            where,
            f"put {decorator}(...) above it, or list it where it belongs",
        )
    return info


def _qonnx_info(found: type, record: Mapping[str, Any]) -> TransformInfo:
    return TransformInfo(
        name=record["name"],
        stage=record.get("stage") or "",
        description=record.get("description") or inspect.getdoc(found) or "",
        tags=tuple(record.get("tags", ())),
        tolerance=tolerance_of(found, record["name"]),
        redefines=redefines_of(found, record["name"]),
    )


def _check_agreement(info: Info, record: Mapping[str, Any], where: str) -> None:
    """What the manifest says of a component is what its decorator says, as far as it says it."""
    facts: dict[str, object] = {}
    if isinstance(info, KernelInfo):
        facts = {"operation": info.operation_type, "backends": set(info.backends)}
    elif isinstance(info, TransformInfo):
        facts = {"stage": info.stage}
    for field, actual in facts.items():
        said = record.get(field)
        if said and (set(said) if field == "backends" else said) != actual:
            told = ", ".join(sorted(actual)) if isinstance(actual, set) else actual
            raise _broken(
                f"the manifest's '{field}' is {said}, the decorator's {told}",
                where,
                "run `brainsmith manifest sync`",
            )


def _check_backends(found: type, info: KernelInfo, where: str) -> None:
    for backend, method in info.backends.items():
        if not callable(getattr(found, method, None)):
            raise _broken(f"the method '{method}' of the backend '{backend}' is gone", where)
        _check_call(found, method, 1, where)


def _check_call(found: type, method: str, arguments: int, where: str) -> None:
    """Whether an instance's method can be called with that many arguments."""
    member = inspect.getattr_static(found, method)
    function = getattr(found, method)
    if not callable(function):
        raise _broken(f"'{method}' is no method", where)
    bound = isinstance(member, (staticmethod, classmethod))
    given = [None] * (arguments + (not bound))
    try:
        inspect.signature(function).bind(*given)
    except TypeError as error:
        singular = SINGULAR[_KIND_OF.get(method, "kernels")]
        raise _broken(
            f"a {singular}'s method '{method}' is called with {arguments} "
            f"argument{'s' * (arguments > 1)} besides self: {error}",
            where,
        ) from error
    except ValueError:
        return  # written in C: it has no signature to look at


_KIND_OF = {method: kind for kind, methods in _CALLED_WITH.items() for method in methods}


def _broken(what: str, where: str, hint: str | None = None) -> PluginValidationError:
    return PluginValidationError(what, where=where, hint=hint)
