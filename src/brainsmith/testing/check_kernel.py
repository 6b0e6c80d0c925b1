"""`check_kernel`: a kernel at many configurations, in one simulation, against the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from brainsmith.api import IntType, KernelConfig
from brainsmith.compiler.answers import reference_of
from brainsmith.compiler.codegen import project
from brainsmith.compiler.design import Instance
from brainsmith.compiler.folding import estimate, prepare
from brainsmith.compiler.implement import Module, implement
from brainsmith.compiler.mapping import Candidate
from brainsmith.compiler.schedule import first_to_last, schedule_of
from brainsmith.compiler.stimuli import stimuli
from brainsmith.plugins import PluginRegistry
from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.process import BuildLog
from brainsmith.toolchains.simulation import UnitRun
from brainsmith.toolchains.verilator import build_simulation

FRAMES = 9


@dataclass(frozen=True)
class KernelCase:
    """One configuration to check: loop bounds, datatype by port, folding, constants, device."""

    dims: Mapping[str, int]
    dtypes: Mapping[str, str]
    folding: Mapping[str, int] = field(default_factory=dict)
    statics: Mapping[str, np.ndarray] = field(default_factory=dict, repr=False)
    attributes: Mapping[str, object] = field(default_factory=dict)
    params: Mapping[str, int | str] = field(default_factory=dict)
    ranges: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    family: str = "ecp5"


@dataclass(frozen=True, repr=False)
class CaseResult:
    """What the simulation of a case showed.

    Attributes:
        mismatches: wrong elements without and with random stalls on every port.
        first_wrong: (port, frame, element, got, expected) of the first wrong element.
        interval: measured cycles between frames that are driven back to back.
        expected_interval: what the kernel's model says.
        latency: measured cycles from a frame's first input beat to its last output beat.
        expected_latency: the same from the stream model.
    """

    case: KernelCase
    mismatches: int
    first_wrong: tuple[str, int, int, int, int] | None
    interval: float
    expected_interval: int
    latency: int
    expected_latency: int

    @property
    def passed(self) -> bool:
        """Whether the values, the interval and the latency are as they should be."""
        return (
            self.mismatches == 0
            and self.interval == self.expected_interval
            and self.latency == self.expected_latency
        )

    def __repr__(self) -> str:
        """The configuration and what is wrong with it, in one line."""
        case = self.case
        shown = {**case.dims, **case.dtypes, **case.folding, **case.params}
        name = " ".join(f"{key}={value}" for key, value in shown.items())
        return f"<{name}, {case.family}: {'; '.join(self._failures()) or 'passed'}>"

    def _failures(self) -> list[str]:
        found = []
        if self.mismatches:
            found.append(f"{self.mismatches} wrong elements")
        if self.first_wrong is not None:
            port, frame, element, got, want = self.first_wrong
            found.append(f"first {port}, frame {frame}, element {element}: {got}, expected {want}")
        for what in ("interval", "latency"):
            measured, said = getattr(self, what), getattr(self, f"expected_{what}")
            if measured != said:
                found.append(f"{what} {measured:g} cycles, its model says {said}")
        return found


def check_kernel(
    kernel: str,
    cases: Sequence[KernelCase],
    *,
    backend: str | None = None,
    registry: PluginRegistry | None = None,
    seed: int = 0,
    stall_seed: int = 1,
) -> list[CaseResult]:
    """Simulates a kernel at many configurations, in one model, and compares.

    Every case is driven with the operation's extremes, both ends of the range and random frames,
    back to back, and again with random stalls on every port.

    Args:
        kernel: its name in the registry.
        cases: the configurations.
        backend: which implementation; the kernel's default one if None.
        registry: where the kernel is found; the built-in plugin's if None.
        seed: for the random frames.
        stall_seed: for the random stalls.

    Raises:
        BrainsmithError: the kernel is unknown, a case is illegal, or the simulation failed.
    """
    registry = registry or PluginRegistry()
    component = registry.get("kernels", kernel)
    info = component.info
    operation = registry.operation_of(component)
    params = {name: param.default for name, param in info.params.items()}
    candidate = Candidate(component, operation, backend or info.default_backend, params)
    modules = implement([_instance(candidate, case, i) for i, case in enumerate(cases)])
    prepare([(component, [module.instance.config]) for module in modules])
    rng = np.random.default_rng(seed)
    inputs = {
        m.instance.name: stimuli(operation.instance, m.instance.config, rng, FRAMES)
        for m in modules
    }
    simulation = build_simulation(
        project(modules), [m.unit for m in modules], cache=BuildCache(), log=BuildLog()
    )
    flat = {
        unit: {p: a.reshape(len(a), -1) for p, a in ports.items()} for unit, ports in inputs.items()
    }
    free = simulation.run(flat, frames_out=_sizes(modules))
    stalled = simulation.run(flat, frames_out=_sizes(modules), stall_seed=stall_seed)
    return [
        _result(case, module, inputs[name], free[name], stalled[name])
        for case, module in zip(cases, modules, strict=True)
        for name in (module.instance.name,)
    ]


def _instance(candidate: Candidate, case: KernelCase, index: int) -> Instance:
    nest = candidate.operation.info.nest
    dtypes = {port: IntType.parse(name) for port, name in case.dtypes.items()}
    config = KernelConfig(
        node=f"case{index}",
        nest=nest,
        dims=case.dims,
        dtypes=dtypes,
        ranges={p: (d.min, d.max) for p, d in dtypes.items()} | dict(case.ranges),
        statics={p: np.asarray(a, dtype=np.int64) for p, a in case.statics.items()},
        attributes=case.attributes,
        folding=case.folding,
        params={**candidate.params, **case.params},
        family=case.family,
    )
    nest.check(config.dims, config.folding, config.node)
    return Instance(config.node, candidate, config)


def _sizes(modules: Sequence[Module]) -> dict[str, dict[str, int]]:
    return {
        m.instance.name: {
            p.name: p.elements * m.instance.config.stream(p.name).beats
            for p in m.unit.ports
            if p.direction == "out"
        }
        for m in modules
    }


def _result(
    case: KernelCase,
    module: Module,
    inputs: Mapping[str, np.ndarray],
    free: UnitRun,
    stalled: UnitRun,
) -> CaseResult:
    instance = module.instance
    expected = reference_of(instance.operation, instance.config, inputs)
    wrong = 0
    first = None
    for run in (free, stalled):
        for port, array in expected.items():
            want, got = array.reshape(len(array), -1), run.outputs[port]
            differs = np.argwhere(want != got)
            wrong += len(differs)
            if len(differs) and first is None:
                frame, element = map(int, differs[0])
                first = (port, frame, element, int(got[frame, element]), int(want[frame, element]))
    intervals, _ = estimate(instance.kernel, [instance.config])
    return CaseResult(
        case, wrong, first,
        interval=free.interval, expected_interval=intervals[0],
        latency=free.latency,
        expected_latency=first_to_last(schedule_of(instance.kernel, instance.config)),
    )  # fmt: skip
