"""What there is to know of a component's class before it is used: data, wherever the class is."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from brainsmith.api.decorators import TransformInfo
from brainsmith.errors import PluginError
from brainsmith.plugins.contracts import INFO_KINDS, Info, is_qonnx

FORMS = ("Model", "ModelWrapper", "ModelProto")
_DATA = (str, int, float, bool, type(None))


@dataclass(frozen=True)
class Description:
    """A component's class, described.

    Attributes:
        info: what its decorator recorded.
        methods: the names of its public methods.
        file: the file that defines the class, or "" where there is none.
        is_qonnx: whether it is a QONNX `Transformation`.
        form: of a transform, the class of models that its `apply` takes.
        compatible_kernels: of a transform, the kernels that it works well with.
        parameters: of a QONNX transformation, what its constructor takes: (name, whether it must
            be given); ("**", False) where it takes any.
        fields: of a target, the attributes of its class that are data.
    """

    info: Info
    methods: frozenset[str]
    file: str = ""
    is_qonnx: bool = False
    form: str = "Model"
    compatible_kernels: tuple[str, ...] = ()
    parameters: tuple[tuple[str, bool], ...] = ()
    fields: Mapping[str, Any] | None = None

    def as_data(self) -> dict[str, Any]:
        return dict(vars(self))

    @classmethod
    def from_data(cls, data: Any, kind: str, where: str) -> Description:
        """The description that a worker gave of a component of this kind.

        Raises:
            PluginError: it is none.
        """
        try:
            found = cls(**data)
        except TypeError:
            found = None
        if found is None or not found._is_sound(kind):
            raise PluginError("the worker described the component as none can be", where=where)
        return found

    def _is_sound(self, kind: str) -> bool:
        texts = (*_items(self.methods), *_items(self.compatible_kernels), self.file)
        pairs = _items(self.parameters)
        return (
            isinstance(self.info, INFO_KINDS[kind])
            and isinstance(self.methods, frozenset)
            and all(isinstance(text, str) for text in texts)
            and isinstance(self.compatible_kernels, tuple)
            and self.form in FORMS
            and isinstance(self.is_qonnx, bool)
            and all(isinstance(p, tuple) and len(p) == 2 and isinstance(p[0], str) for p in pairs)
            and isinstance(self.fields, dict | None)
        )

    def check_parameters(self, given: Mapping[str, Any]) -> None:
        """Raises TypeError where the constructor of a QONNX transformation cannot be called so."""
        kind = inspect.Parameter.KEYWORD_ONLY
        known = {
            name: inspect.Parameter(name, kind, default=inspect.Parameter.empty if must else None)
            for name, must in self.parameters
            if name.isidentifier()
        }
        if ("**", False) in self.parameters:
            known["**"] = inspect.Parameter("others", inspect.Parameter.VAR_KEYWORD)
        inspect.Signature(list(known.values())).bind(**given)


def describe(cls: type, info: Info, kind: str, where: str) -> Description:
    """The description of a class that is here.

    Args:
        cls: the class.
        info: what its decorator recorded.
        kind: the component's kind.
        where: the component's full name, for errors.

    Raises:
        PluginError: `compatible_kernels` of a transform is no list of names.
    """
    qonnx = is_qonnx(cls)
    transform = cls() if isinstance(info, TransformInfo) and not qonnx else None
    return Description(
        info=info,
        methods=frozenset(name for name in dir(cls) if _is_method(cls, name)),
        file=_file_of(cls),
        is_qonnx=qonnx,
        form=_wanted_form(transform) if transform is not None else "Model",
        compatible_kernels=_compatible_kernels(transform, where) if transform is not None else (),
        parameters=_parameters(cls) if qonnx else (),
        fields=_fields(cls) if kind == "targets" else None,
    )


def _is_method(cls: type, name: str) -> bool:
    return not name.startswith("_") and callable(getattr(cls, name, None))


def _file_of(cls: type) -> str:
    try:
        return inspect.getfile(cls)
    except (TypeError, OSError):  # made by something else than a module with a file
        return ""


def _wanted_form(transform: Any) -> str:
    """The class with which a transform annotates its model; `Model` where it is none of ours."""
    parameters = list(inspect.signature(transform.apply).parameters)
    annotation = transform.apply.__annotations__.get(parameters[0], "") if parameters else ""
    name = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    short = name.rsplit(".", 1)[-1]
    return short if short in FORMS else "Model"


def _compatible_kernels(transform: Any, where: str) -> tuple[str, ...]:
    names = getattr(transform, "compatible_kernels", ())
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise PluginError("`compatible_kernels` is a list of kernels' names", where=where)
    return tuple(names)


def _parameters(cls: type) -> tuple[tuple[str, bool], ...]:
    found = inspect.signature(cls).parameters.values()
    return tuple(
        ("**", False) if p.kind is p.VAR_KEYWORD else (p.name, p.default is p.empty)
        for p in found
        if p.kind is not p.VAR_POSITIONAL
    )


def _fields(cls: type) -> dict[str, Any]:
    return {
        name: value
        for name in dir(cls)
        if not name.startswith("_") and _is_data(value := getattr(cls, name))
    }


def _is_data(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _is_data(item) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return all(_is_data(item) for item in value)
    return isinstance(value, _DATA)


def _items(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (tuple, frozenset)) else (None,)
