"""Runs a kernel at many configurations in one simulation, and compares with the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brainsmith.api import IntType, KernelConfig
from brainsmith.compiler.alone import FRAMES, Simulated, drive
from brainsmith.compiler.design import Instance
from brainsmith.compiler.implement import implement
from brainsmith.compiler.mapping import Candidate
from brainsmith.compiler.stimuli import stimuli
from brainsmith.plugins import Component, PluginRegistry
from brainsmith.testing.case import CaseResult, KernelCase
from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.process import BuildLog
from brainsmith.toolchains.simulation import StreamError


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
        rng = np.random.default_rng(self.seed)
        inputs = {
            m.instance.name: stimuli(self.operation.instance, m.instance.config, rng, FRAMES)
            for m in modules
        }
        found = drive(
            modules, inputs, stall_seed=self.stall_seed, cache=BuildCache(), log=BuildLog(),
            wave=wave,
        )  # fmt: skip
        return [_result(case, simulated) for case, simulated in zip(cases, found, strict=True)]

    def instance(self, case: KernelCase, index: int) -> Instance:
        """A case as an instance of its own, `caseINDEX`."""
        info = self.kernel.info
        params = {name: param.default for name, param in info.params.items()}
        backend = self.backend or info.default_backend
        candidate = Candidate(self.kernel, self.operation, backend, {**params, **case.params})
        config = config_of(case, candidate, f"case{index}")
        return Instance(config.node, candidate, config)


def _result(case: KernelCase, simulated: Simulated) -> CaseResult:
    return CaseResult(
        case, simulated.mismatches, simulated.first,
        interval=simulated.interval, expected_interval=simulated.said_interval,
        latency=simulated.latency, expected_latency=simulated.said_latency,
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
