"""Targets: a device with the tools that build for it. A target is data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PrivateAttr, ValidationError

from brainsmith.board.description import Board
from brainsmith.errors import BrainsmithError, ConfigurationError, PluginError, TargetError
from brainsmith.plugins import Component, PluginRegistry
from brainsmith.plugins.complaints import complaints
from brainsmith.sandbox.levels import Level

Family = Literal["ecp5", "ice40", "xc7", "xcup"]
Resource = Literal["LUT", "FF", "DSP", "BRAM"]


class Placement(BaseModel):
    """How nextpnr is told of the part, in its own names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    device: str
    package: str
    speed: str = ""


class Target(BaseModel):
    """A device: its family, what there is on it, and how it is placed, if it is.

    `resources` are the device's LUTs, flip-flops, DSPs and block RAMs, counted as in
    `brainsmith.api.Resources`; `clock_mhz` is the clock that is asked for by default. With a
    `board` around it, what is placed has the board's pins and is packed into a bitstream.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    family: Family
    description: str = ""
    clock_mhz: float = Field(gt=0)
    resources: Mapping[Resource, NonNegativeInt]
    place: Placement | None = None
    board: Board | None = None

    _level: Level = PrivateAttr(default=Level.L0)

    @property
    def level(self) -> Level:
        """The level at which tools on its board's constraints are confined."""
        return self._level

    @property
    def placeable(self) -> bool:
        """Whether an open tool places and routes for this part."""
        return self.place is not None


@dataclass(frozen=True)
class BrokenTarget:
    """A target that cannot be used, and why."""

    full_name: str
    error: BrainsmithError


def list_targets(
    registry: PluginRegistry | None = None,
) -> tuple[list[Target], list[BrokenTarget]]:
    """All targets, in the order of the plugins' manifests, and those that cannot be used."""
    registry = registry or PluginRegistry()
    good, broken = [], []
    for component in registry.components("targets"):
        try:
            good.append(_read(component))
        except BrainsmithError as error:
            broken.append(BrokenTarget(component.full_name, error))
    return good, broken


def get_target(name: str, registry: PluginRegistry) -> Target:
    """The target called `name`, or `plugin:name`.

    Raises:
        TargetError: there is none, with the nearest one; or several plugins offer the name.
    """
    try:
        component = registry.get("targets", name)
    except ConfigurationError as error:
        raise TargetError(error.what, where=error.where, hint=error.hint) from error
    return _read(component)


def _read(component: Component) -> Target:
    try:
        target = Target.model_validate(_data(component))
    except ValidationError as error:
        first = complaints(error, Target)[0]
        raise PluginError(first.what, where=component.full_name, hint=first.hint) from error
    if target.name != component.name:
        raise PluginError(
            f"the manifest calls the target '{component.name}', its file '{target.name}'",
            where=component.full_name,
        )
    if component.plugin.origin != "built-in":
        target._level = component.plugin.settings.required
    return target


def _data(component: Component) -> Any:
    """The fields of a target: those of its file, or the attributes of its class."""
    if component.is_data:
        return component.data
    told, info = component.description.fields or {}, component.info
    own = {field: told[field] for field in Target.model_fields if field in told}
    return {**own, "name": info.name, "description": info.description}
