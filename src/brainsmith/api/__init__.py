"""What a plugin author may import, and the only part of Brainsmith that built-ins import.

Importing this package loads no heavy dependency: names are resolved at first use (PEP 562).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from brainsmith.api.config import KernelConfig, Stream, TransformConfig
    from brainsmith.api.costs import Resources
    from brainsmith.api.decorators import (
        backend,
        kernel,
        operation,
        requires,
        target,
        transform,
    )
    from brainsmith.api.implementations import (
        Composition,
        CUDAOp,
        HLSOp,
        HostOp,
        Part,
        RTLOp,
    )
    from brainsmith.api.loops import Loop, LoopNest, Port, static_in, stream_in, stream_out
    from brainsmith.api.matching import Match, NodeView, NoMatch, ValueView
    from brainsmith.api.params import Param, param
    from brainsmith.api.runs import Runs
    from brainsmith.api.schedules import Schedule
    from brainsmith.errors import ConfigurationError, ModelError, PluginError
    from brainsmith.model.arrays import read_frames
    from brainsmith.model.chains import ChainEvaluator
    from brainsmith.model.constants import is_constant
    from brainsmith.model.datatypes import BIPOLAR, IntType
    from brainsmith.model.dialects import (
        CHANNELS_LAST,
        QUANTIZERS,
        is_qonnx,
        is_standard,
        quantizes,
    )
    from brainsmith.model.execution import Executor, evaluate
    from brainsmith.model.model import Model
    from brainsmith.model.origin import Layout, Note, Origin
    from brainsmith.model.runners import captured
    from brainsmith.model.shapes import infer_shapes
    from brainsmith.model.streams import streams_of
    from brainsmith.model.views import is_view

_HOMES = {
    "brainsmith.api.config": ("KernelConfig", "Stream", "TransformConfig"),
    "brainsmith.api.costs": ("Resources",),
    "brainsmith.api.decorators": (
        "backend",
        "kernel",
        "operation",
        "requires",
        "target",
        "transform",
    ),
    "brainsmith.api.implementations": ("Composition", "CUDAOp", "HLSOp", "HostOp", "Part", "RTLOp"),
    "brainsmith.api.loops": ("Loop", "LoopNest", "Port", "static_in", "stream_in", "stream_out"),
    "brainsmith.api.matching": ("Match", "NodeView", "NoMatch", "ValueView"),
    "brainsmith.api.params": ("Param", "param"),
    "brainsmith.api.runs": ("Runs",),
    "brainsmith.api.schedules": ("Schedule",),
    "brainsmith.errors": ("ConfigurationError", "ModelError", "PluginError"),
    "brainsmith.model.arrays": ("read_frames",),
    "brainsmith.model.chains": ("ChainEvaluator",),
    "brainsmith.model.constants": ("is_constant",),
    "brainsmith.model.datatypes": ("BIPOLAR", "IntType"),
    "brainsmith.model.dialects": (
        "CHANNELS_LAST",
        "QUANTIZERS",
        "is_qonnx",
        "is_standard",
        "quantizes",
    ),
    "brainsmith.model.execution": ("Executor", "evaluate"),
    "brainsmith.model.model": ("Model",),
    "brainsmith.model.origin": ("Layout", "Note", "Origin"),
    "brainsmith.model.runners": ("captured",),
    "brainsmith.model.shapes": ("infer_shapes",),
    "brainsmith.model.streams": ("streams_of",),
    "brainsmith.model.views": ("is_view",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "BIPOLAR",
    "CHANNELS_LAST",
    "QUANTIZERS",
    "CUDAOp",
    "ChainEvaluator",
    "Composition",
    "ConfigurationError",
    "Executor",
    "HLSOp",
    "HostOp",
    "IntType",
    "KernelConfig",
    "Layout",
    "Loop",
    "LoopNest",
    "Match",
    "Model",
    "ModelError",
    "NoMatch",
    "NodeView",
    "Note",
    "Origin",
    "Param",
    "Part",
    "PluginError",
    "Port",
    "RTLOp",
    "Resources",
    "Runs",
    "Schedule",
    "Stream",
    "TransformConfig",
    "ValueView",
    "backend",
    "captured",
    "evaluate",
    "infer_shapes",
    "is_constant",
    "is_qonnx",
    "is_standard",
    "is_view",
    "kernel",
    "operation",
    "param",
    "quantizes",
    "read_frames",
    "requires",
    "static_in",
    "stream_in",
    "stream_out",
    "streams_of",
    "target",
    "transform",
]


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'brainsmith.api' has no attribute '{name}'")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
