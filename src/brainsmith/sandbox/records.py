"""The records that cross the sandbox's border, each by its fields."""

from __future__ import annotations

from functools import cache

from brainsmith.api.config import KernelConfig, Stream, TransformConfig
from brainsmith.api.costs import Resources
from brainsmith.api.decorators import KernelInfo, OperationInfo, TargetInfo, TransformInfo
from brainsmith.api.implementations import Composition, CUDAOp, HLSOp, HostOp, Part, RTLOp
from brainsmith.api.loops import Loop, LoopNest, Port
from brainsmith.api.matching import Match, NoMatch
from brainsmith.api.params import Param
from brainsmith.api.runs import Runs
from brainsmith.api.schedules import Schedule
from brainsmith.model.datatypes import IntType
from brainsmith.model.origin import Layout, Note, Origin
from brainsmith.sandbox.bundle import Bundle

RECORDS: dict[str, type] = {
    cls.__name__: cls
    for cls in (
        Bundle,
        CUDAOp,
        Composition,
        HLSOp,
        HostOp,
        IntType,
        KernelConfig,
        KernelInfo,
        Layout,
        Loop,
        LoopNest,
        Match,
        NoMatch,
        Note,
        OperationInfo,
        Origin,
        Param,
        Part,
        Port,
        RTLOp,
        Resources,
        Runs,
        Schedule,
        Stream,
        TargetInfo,
        TransformConfig,
        TransformInfo,
    )
}
_CLASSES = frozenset(RECORDS.values())


@cache
def record_class(cls: type) -> type | None:
    """The record that a class is or extends; only the fields of this one cross the border."""
    return next((base for base in cls.__mro__ if base in _CLASSES), None)
