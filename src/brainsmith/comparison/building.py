"""Kernels synthesised alone, and placed and routed where that is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from brainsmith.comparison.each import each
from brainsmith.comparison.records import Figure
from brainsmith.compiler.implement import Module
from brainsmith.compiler.metrics import NAMES
from brainsmith.compiler.targets import Target
from brainsmith.errors import BrainsmithError, ToolError
from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.hdl import Hdl
from brainsmith.toolchains.nextpnr import Device, place_and_route
from brainsmith.toolchains.process import BuildLog
from brainsmith.toolchains.yosys import Netlist, Part, link_one, synthesize_all

_PLACERS = 2


@dataclass(frozen=True)
class Builder:
    """Synthesis, placement and routing of modules, each alone, for one target."""

    target: Target
    cache: BuildCache
    log: BuildLog
    seed: int = 0

    def synthesize(self, modules: Sequence[Module]) -> list[Netlist | BrainsmithError]:
        """The netlist of each module, or why it has none."""
        return each(self._together, modules)

    def place(
        self, modules: Sequence[Module], netlists: Sequence[Netlist | BrainsmithError]
    ) -> list[Figure | BrainsmithError | None]:
        """The clock of each module in MHz; None where it has no netlist.

        A kernel without a path between registers has no clock of its own, and the figure says so.
        """
        with ThreadPoolExecutor(_PLACERS) as pool:
            try:
                return list(pool.map(self._clock, modules, netlists))
            except BaseException:
                self.log.stop.set()
                raise

    def _together(self, modules: Sequence[Module]) -> list[Netlist]:
        parts = [Part(Hdl(module.sources, module.files), module.unit) for module in modules]
        found = synthesize_all(parts, self.target.family, cache=self.cache, log=self.log)
        return [found[part.module] for part in parts]

    def _clock(
        self, module: Module, netlist: Netlist | BrainsmithError
    ) -> Figure | BrainsmithError | None:
        if isinstance(netlist, BrainsmithError):
            return None
        told = self.target.place
        assert told is not None, "checked before anything was built"
        device = Device(self.target.name, self.target.family, told.device, told.package, told.speed)
        try:
            placed = place_and_route(
                link_one(netlist, cache=self.cache, log=self.log), module.unit, device,
                clock_mhz=self.target.clock_mhz, seed=self.seed, cache=self.cache, log=self.log,
            )  # fmt: skip
        except ToolError as error:
            if "no path between registers" in error.what:
                return Figure(None, "MHz", reason=error.what)
            return error
        except BrainsmithError as error:
            return error
        return Figure(placed.fmax_mhz, "MHz", reason="; ".join(placed.notes))


def resources_of(netlist: Netlist) -> dict[str, Figure]:
    """LUT, FF, DSP and BRAM of a netlist."""
    return {name: Figure(netlist.resources[name], name) for name in NAMES}
