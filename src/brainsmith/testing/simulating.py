"""Runs a kernel at many configurations in one simulation, and compares with the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brainsmith.api import IntType, KernelConfig
from brainsmith.compiler.answers import reference_of
from brainsmith.compiler.codegen import project
from brainsmith.compiler.design import Instance
from brainsmith.compiler.elements import output_sizes, wrong_elements
from brainsmith.compiler.folding import estimate, prepare
from brainsmith.compiler.implement import Module, implement
from brainsmith.compiler.mapping import Candidate
from brainsmith.compiler.schedule import first_to_last, schedule_of
from brainsmith.compiler.stimuli import stimuli
from brainsmith.plugins import Component, PluginRegistry
from brainsmith.testing.case import CaseResult, KernelCase
from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.process import BuildLog
from brainsmith.toolchains.simulation import Simulation, StreamError, UnitRun
from brainsmith.toolchains.verilator import build_simulation

FRAMES = 9
_PATIENCE = 10_000  # cycles without a beat, beyond those of a frame, after which a case hangs


@dataclass(frozen=True)
class Bench:
    """A kernel on the bench.

    Args:
        kernel: the component.
        operation: what it computes.
        backend: which of its implementations; its default one if None.
        seed: for the random frames.
        stall_seed: for the random stalls.
    """

    kernel: Component
    operation: Component
    backend: str | None = None
    seed: int = 0
    stall_seed: int = 1

    @classmethod
    def of(cls, kernel: Component, registry: PluginRegistry, backend: str | None = None) -> Bench:
        """A kernel with the operation that the registry has for it."""
        return cls(kernel, registry.operation_of(kernel), backend)

    def results(self, cases: Sequence[KernelCase], wave: Path | None = None) -> list[CaseResult]:
        """What came of each case.

        Every case is driven with the operation's extremes, both ends of the range and random
        frames, back to back, and again with random stalls on every port.

        Args:
            cases: the configurations.
            wave: an FST file, to which the run with stalls is written.

        Raises:
            StreamError: some cases hang or break the wire contract; it names the units, `case0`
                and so on.
            BrainsmithError: a case is illegal, or the simulation failed.
        """
        modules = implement([self.instance(case, i) for i, case in enumerate(cases)])
        prepare([(self.kernel, [module.instance.config]) for module in modules])
        rng = np.random.default_rng(self.seed)
        inputs = {
            m.instance.name: stimuli(self.operation.instance, m.instance.config, rng, FRAMES)
            for m in modules
        }
        simulation = build_simulation(
            project(modules),
            [module.unit for module in modules],
            cache=BuildCache(),
            log=BuildLog(),
            wave=wave is not None,
        )
        free, stalled = self._runs(simulation, modules, inputs, wave)
        return [
            self._result(case, module, inputs[name], free[name], stalled[name])
            for case, module in zip(cases, modules, strict=True)
            for name in (module.instance.name,)
        ]

    def _runs(
        self,
        simulation: Simulation,
        modules: Sequence[Module],
        inputs: Mapping[str, Mapping[str, np.ndarray]],
        wave: Path | None,
    ) -> tuple[dict[str, UnitRun], dict[str, UnitRun]]:
        flat = {
            unit: {port: array.reshape(len(array), -1) for port, array in ports.items()}
            for unit, ports in inputs.items()
        }
        sizes = output_sizes(modules)
        patience = _PATIENCE + 8 * max(module.instance.config.cycles for module in modules)
        if wave is not None:  # one run, that which shows the most
            run = simulation.run(
                flat, frames_out=sizes, stall_seed=self.stall_seed, timeout_cycles=patience,
                wave=wave,
            )  # fmt: skip
            return run, run
        free = simulation.run(flat, frames_out=sizes, timeout_cycles=patience)
        stalled = simulation.run(
            flat, frames_out=sizes, stall_seed=self.stall_seed, timeout_cycles=patience
        )
        return free, stalled

    def instance(self, case: KernelCase, index: int) -> Instance:
        """A case as an instance of its own, `caseINDEX`."""
        info = self.kernel.info
        params = {name: param.default for name, param in info.params.items()}
        backend = self.backend or info.default_backend
        candidate = Candidate(self.kernel, self.operation, backend, {**params, **case.params})
        config = config_of(case, candidate, f"case{index}")
        return Instance(config.node, candidate, config)

    def _result(
        self,
        case: KernelCase,
        module: Module,
        inputs: Mapping[str, np.ndarray],
        free: UnitRun,
        stalled: UnitRun,
    ) -> CaseResult:
        instance = module.instance
        expected = reference_of(instance.operation, instance.config, inputs)
        wrong, first = wrong_elements(instance.config, expected, free, stalled)
        intervals, _ = estimate(instance.kernel, [instance.config])
        return CaseResult(
            case, wrong, first,
            interval=free.interval, expected_interval=intervals[0],
            latency=free.latency,
            expected_latency=first_to_last(schedule_of(instance.kernel, instance.config)),
        )  # fmt: skip


def faults(error: StreamError, cases: Sequence[KernelCase]) -> list[CaseResult]:
    """The results of the cases that a fault is about."""
    numbers = [int(unit.removeprefix("case")) for unit in error.units]
    return [CaseResult(cases[number], fault=str(error)) for number in numbers]


def config_of(case: KernelCase, candidate: Candidate, node: str) -> KernelConfig:
    """The configuration that a kernel is asked for.

    Raises:
        ConfigurationError: its folding is illegal.
    """
    nest = candidate.operation.info.nest
    dtypes = {port: IntType.parse(name) for port, name in case.dtypes.items()}
    config = KernelConfig(
        node=node,
        nest=nest,
        dims=case.dims,
        dtypes=dtypes,
        ranges={p: (d.min, d.max) for p, d in dtypes.items()} | dict(case.ranges),
        statics={p: np.asarray(a, dtype=np.int64) for p, a in case.statics.items()},
        attributes=case.attributes,
        folding=case.folding,
        params=candidate.params,
        family=case.family,
    )
    nest.check(config.dims, config.folding, config.node)
    return config
