"""The decorators with which a plugin declares its components.

A decorator records what it was given in the class attribute `__brainsmith__` and changes nothing
else. An unknown argument is an error that names the nearest valid one.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from brainsmith.api.loops import Loop, LoopNest, Port
from brainsmith.api.params import Param
from brainsmith.errors import PluginError, nearest

C = TypeVar("C", bound=type)
F = TypeVar("F", bound=Callable[..., Any])

STAGES = (
    "graph_cleanup",
    "topology_optimization",
    "kernel_mapping",
    "kernel_optimization",
    "graph_optimization",
)
BACKENDS = ("rtl", "hls", "cuda", "host")
INFO = "__brainsmith__"
_BACKEND = "__brainsmith_backend__"
_REQUIRES = "__brainsmith_requires__"
REQUIRES_HINT = 'write @requires("numpy>=2.0")'


@dataclass(frozen=True)
class Meta:
    """What every decorator is told of its component; `requires` is what `@requires` names."""

    name: str
    description: str = ""
    author: str = ""
    version: str = "0.0.0"
    tags: tuple[str, ...] = ()
    license: str = ""
    requires: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class KernelInfo(Meta):
    """What `@kernel` was told, and the class's constraints, parameters and backends.

    `compositions` are those of the backends that return a `Composition`.
    """

    operation_type: str
    constraints: dict[str, Any] = field(default_factory=dict)
    params: dict[str, Param] = field(default_factory=dict)
    backends: dict[str, str] = field(default_factory=dict)
    default_backend: str = ""
    compositions: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TransformInfo(Meta):
    """What `@transform` was told, and the class's parameters, tolerance and `redefines`.

    `tolerance` is the largest absolute difference of an output element that the transform may
    cause; 0 where it must cause none. A transform that `redefines` the model makes another one of
    it, which the accelerator is then held to: a quantized one of a float model. Where such a
    transform has a parameter `calibration`, that names the data for which both should agree.
    """

    stage: str
    params: dict[str, Param] = field(default_factory=dict)
    tolerance: float = 0.0
    redefines: bool = False

    @property
    def allowed_difference(self) -> float:
        """The largest difference of an output element that is right."""
        return math.inf if self.redefines else self.tolerance


@dataclass(frozen=True, kw_only=True)
class OperationInfo(Meta):
    """What `@operation` was told, and the class's loops and ports.

    `only_moves` is the class's attribute of that name: it changes no element, so that the host does
    it as well where it hands a frame to the hardware or takes one from it.
    """

    nest: LoopNest
    only_moves: bool = False


@dataclass(frozen=True)
class TargetInfo(Meta):
    """What `@target` was told."""


def kernel(
    *,
    name: str = "",
    operation_type: str = "",
    description: str = "",
    author: str = "",
    version: str = "0.0.0",
    tags: Sequence[str] = (),
    license: str = "",
    **unknown: Any,
) -> Callable[[C], C]:
    """Declares a kernel: one way to compute the operation `operation_type` in hardware."""
    meta = Meta(name, description, author, version, tuple(tags), license)

    def info(cls: type) -> KernelInfo:
        backends, default, compositions = _backends(cls, name)
        return KernelInfo(
            **vars(meta),
            operation_type=operation_type,
            constraints=_constraints(cls, name),
            params=_params(cls),
            backends=backends,
            default_backend=default,
            compositions=compositions,
        )

    return _declaration(kernel, unknown, info, name=name, operation_type=operation_type)


def transform(
    *,
    name: str = "",
    stage: str = "",
    description: str = "",
    author: str = "",
    version: str = "0.0.0",
    tags: Sequence[str] = (),
    license: str = "",
    **unknown: Any,
) -> Callable[[C], C]:
    """Declares a transform: model in, model out, at one of the five stages."""
    meta = Meta(name, description, author, version, tuple(tags), license)

    def info(cls: type) -> TransformInfo:
        if not callable(getattr(cls, "apply", None)):
            raise PluginError("a transform needs the method apply(self, model, config)", where=name)
        return TransformInfo(
            **vars(meta),
            stage=stage,
            params=_params(cls),
            tolerance=tolerance_of(cls, name),
            redefines=redefines_of(cls, name),
        )

    declaration: Callable[[C], C] = _declaration(transform, unknown, info, name=name, stage=stage)
    if stage not in STAGES:
        raise PluginError(f"unknown stage '{stage}'", where=name, hint=nearest(stage, STAGES))
    return declaration


def operation(
    *,
    name: str = "",
    description: str = "",
    author: str = "",
    version: str = "0.0.0",
    tags: Sequence[str] = (),
    license: str = "",
    **unknown: Any,
) -> Callable[[C], C]:
    """Declares an operation: a class with `loops`, `ports`, `match`, `infer`, `reference`."""
    meta = Meta(name, description, author, version, tuple(tags), license)

    def info(cls: type) -> OperationInfo:
        for member in ("loops", "ports", "match", "infer", "reference"):
            if not hasattr(cls, member):
                raise PluginError(f"an operation needs '{member}'", where=name)
        nest = LoopNest(_typed(cls, "loops", Loop, name), _typed(cls, "ports", Port, name))
        return OperationInfo(
            **vars(meta), nest=nest, only_moves=bool(getattr(cls, "only_moves", False))
        )

    return _declaration(operation, unknown, info, name=name)


def target(
    *,
    name: str = "",
    description: str = "",
    author: str = "",
    version: str = "0.0.0",
    tags: Sequence[str] = (),
    license: str = "",
    **unknown: Any,
) -> Callable[[C], C]:
    """Declares a target in code; a YAML file in the manifest's `targets` does the same."""
    meta = Meta(name, description, author, version, tuple(tags), license)
    return _declaration(target, unknown, lambda cls: TargetInfo(**vars(meta)), name=name)


def backend(
    name: str, *, default: bool = False, composition: bool = False, **unknown: Any
) -> Callable[[F], F]:
    """Marks a method of a kernel as its implementation in the technology `name`.

    With `composition` it returns a `Composition` of other operations, and is asked before any
    folding is known: the compiler folds the parts.
    """
    _refuse(backend, unknown)
    if name not in BACKENDS:
        raise PluginError(f"unknown backend '{name}'", hint=nearest(name, BACKENDS))

    def mark(method: F) -> F:
        setattr(method, _BACKEND, (name, default, composition))
        return method

    return mark


def requires(*requirements: str) -> Callable[[C], C]:
    """Names the Python packages (PEP 508) that a component needs at run time."""
    if not requirements or not all(isinstance(text, str) for text in requirements):
        first = next((text for text in requirements if not isinstance(text, str)), None)
        where = getattr(first, "__qualname__", None)
        raise PluginError("@requires names no package", where=where, hint=REQUIRES_HINT)

    def mark(cls: C) -> C:
        setattr(cls, _REQUIRES, requirements)
        info = cls.__dict__.get(INFO)
        if info is not None:  # @requires stands above the declaration
            setattr(cls, INFO, replace(info, requires=tuple(requirements)))
        return cls

    return mark


def info_of(cls: type) -> KernelInfo | TransformInfo | OperationInfo | TargetInfo:
    """What the decorator of a component recorded; PluginError where there was none."""
    info = cls.__dict__.get(INFO)
    if info is None:
        raise PluginError(
            f"'{cls.__qualname__}' has no brainsmith decorator",
            hint="@kernel, @transform, @operation or @target",
        )
    found: KernelInfo | TransformInfo | OperationInfo | TargetInfo = info
    return found


def _declaration(
    decorator: Callable[..., Any],
    unknown: dict[str, Any],
    info: Callable[[type], Meta],
    **needed: str,
) -> Callable[[C], C]:
    """What a decorator returns: it records what `info` says of a class.

    Args:
        unknown: arguments that the decorator does not have.
        needed: arguments that may not be empty.
    """
    _refuse(decorator, unknown)
    _need(decorator, **needed)

    def declare(cls: C) -> C:
        setattr(cls, INFO, replace(info(cls), requires=_requirements(cls)))
        return cls

    return declare


def _refuse(decorator: Callable[..., Any], unknown: dict[str, Any]) -> None:
    if not unknown:
        return
    valid = [
        p.name
        for p in inspect.signature(decorator).parameters.values()
        if p.kind is not p.VAR_KEYWORD
    ]
    first = next(iter(unknown))
    raise PluginError(
        f"@{decorator.__name__} has no argument '{first}'", hint=nearest(first, valid)
    )


def _need(decorator: Callable[..., Any], **given: str) -> None:
    for name, value in given.items():
        if not value:
            raise PluginError(f"@{decorator.__name__} needs '{name}'")


def _backends(cls: type, where: str) -> tuple[dict[str, str], str, tuple[str, ...]]:
    """Method name by backend, the default backend, and those that are compositions."""
    methods: dict[str, str] = {}
    defaults, compositions = [], []
    for attribute, member in inspect.getmembers(cls, callable):
        mark = getattr(member, _BACKEND, None)
        if mark is None:
            continue
        name, default, composition = mark
        if name in methods:
            raise PluginError(f"two methods are the backend '{name}'", where=where)
        methods[name] = attribute
        if default:
            defaults.append(name)
        if composition:
            compositions.append(name)
    if not methods:
        raise PluginError("a kernel needs a method marked @backend(...)", where=where)
    if len(defaults) > 1:
        raise PluginError(f"two default backends: {', '.join(defaults)}", where=where)
    return methods, defaults[0] if defaults else next(iter(methods)), tuple(compositions)


def _constraints(cls: type, where: str) -> dict[str, Any]:
    constraints = getattr(cls, "constraints", {})
    if not isinstance(constraints, dict):
        raise PluginError("constraints is a dictionary of literals", where=where)
    return dict(constraints)


def _params(cls: type) -> dict[str, Param]:
    # Not by inspect.getmembers, which every import of a component would wait for.
    names = sorted({name for base in cls.__mro__[:-1] for name in vars(base)})
    found = ((name, getattr(cls, name, None)) for name in names)
    return {name: value for name, value in found if isinstance(value, Param)}


def tolerance_of(cls: type, where: str) -> float:
    """The tolerance that the class of a transform declares; 0 where it declares none."""
    tolerance = getattr(cls, "tolerance", 0.0)
    is_number = isinstance(tolerance, (int, float)) and not isinstance(tolerance, bool)
    if not is_number or not 0 <= tolerance < math.inf:
        raise PluginError(
            f"tolerance is {tolerance!r}",
            where=where,
            hint="a number, 0 or more: the largest difference of an output that is right",
        )
    return float(tolerance)


def redefines_of(cls: type, where: str) -> bool:
    """Whether the class of a transform declares that it makes another model."""
    redefines = getattr(cls, "redefines", False)
    if not isinstance(redefines, bool):
        raise PluginError(
            f"redefines is {redefines!r}",
            where=where,
            hint="True where the accelerator is held to the model after the transform, or False",
        )
    return redefines


def _requirements(cls: type) -> tuple[str, ...]:
    return tuple(getattr(cls, _REQUIRES, ()))


def _typed(cls: type, member: str, kind: type, where: str) -> tuple[Any, ...]:
    items = tuple(getattr(cls, member))
    for item in items:
        if not isinstance(item, kind):
            raise PluginError(f"{member} holds {item!r}, which is no {kind.__name__}", where=where)
    return items
