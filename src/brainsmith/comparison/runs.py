"""One of two sides: a kernel at the configurations of several nodes, built, simulated, judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from brainsmith.api import KernelConfig
from brainsmith.comparison.building import Builder, resources_of
from brainsmith.comparison.each import each
from brainsmith.comparison.front import BUILT_IN
from brainsmith.comparison.records import Figure, KernelRun, Problem
from brainsmith.comparison.simulating import Bench, Simulator
from brainsmith.comparison.stimulate import Frames
from brainsmith.compiler.alone import Simulated
from brainsmith.compiler.design import Instance
from brainsmith.compiler.folding import estimate
from brainsmith.compiler.identifiers import unique
from brainsmith.compiler.implement import Module, implement
from brainsmith.compiler.mapping import Candidate
from brainsmith.compiler.schedule import first_to_last, schedule_of
from brainsmith.errors import BrainsmithError
from brainsmith.plugins import Component
from brainsmith.toolchains.yosys import Netlist

Built = Module | BrainsmithError


@dataclass
class Job:
    """A kernel at one configuration, and what has come of it so far.

    Attributes:
        candidate: the kernel.
        config: of the whole node.
        part: what is simulated of it, which may be a slice.
        whole, sliced: the modules of both, the same where all is simulated.
        simulated: the outcome of the simulation.
        netlist: of the synthesis.
        clock: of placement; None where nothing was placed.
    """

    candidate: Candidate
    config: KernelConfig
    part: KernelConfig
    inputs: Frames
    whole: Built | None = None
    sliced: Built | None = None
    simulated: Simulated | BrainsmithError | None = None
    netlist: Netlist | BrainsmithError | None = None
    clock: Figure | BrainsmithError | None = None

    @property
    def kernel(self) -> str:
        return self.candidate.kernel.full_name

    @property
    def is_whole(self) -> bool:
        return self.part.dims == self.config.dims


@dataclass
class Side:
    """A kernel, or several that nodes are compared with, at one configuration for each node."""

    jobs: list[Job] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        wanted: Sequence[tuple[Candidate, KernelConfig]],
        slices: Sequence[KernelConfig],
        inputs: Sequence[Frames],
    ) -> Side:
        """The jobs, each with its modules or the reason why it has none.

        Args:
            wanted: kernels, each with the configuration of a whole node.
            slices: what is simulated of each node, whatever the kernel's own parameters.
            inputs: the frames for that, (frames, *dims of the port) by port.
        """
        jobs = [
            Job(candidate, config, replace(config, dims=part.dims, statics=part.statics), frames)
            for (candidate, config), part, frames in zip(wanted, slices, inputs, strict=True)
        ]
        taken: set[str] = set()
        names = [unique(job.config.node, taken) for job in jobs]
        whole = each(
            implement, [_instance(j, j.config, n) for j, n in zip(jobs, names, strict=True)]
        )
        for job, module in zip(jobs, whole, strict=True):
            job.whole = job.sliced = module
        cut = [(job, name) for job, name in zip(jobs, names, strict=True) if not job.is_whole]
        parts = each(implement, [_instance(job, job.part, name) for job, name in cut])
        for (job, _), module in zip(cut, parts, strict=True):
            job.sliced = module
        return cls(jobs)

    def simulate(self, simulator: Simulator) -> None:
        """Runs every job that could be implemented."""
        ready = [(job, job.sliced) for job in self.jobs if isinstance(job.sliced, Module)]
        results = simulator.run([Bench(module, job.inputs) for job, module in ready])
        for (job, _), result in zip(ready, results, strict=True):
            job.simulated = result

    def build(self, builder: Builder, *, place: bool) -> None:
        """Synthesises every job that could be implemented, and places it if that is asked for."""
        ready = [(job, job.whole) for job in self.jobs if isinstance(job.whole, Module)]
        modules = [module for _, module in ready]
        netlists = builder.synthesize(modules)
        clocks = builder.place(modules, netlists) if place else [None] * len(ready)
        for (job, _), netlist, clock in zip(ready, netlists, clocks, strict=True):
            job.netlist, job.clock = netlist, clock

    def runs(self) -> list[KernelRun]:
        """What came of each job."""
        return [_run(job) for job in self.jobs]


def _instance(job: Job, config: KernelConfig, name: str) -> Instance:
    return Instance(name, job.candidate, config, nodes=(config.node,))


def _run(job: Job) -> KernelRun:
    where = f"{job.kernel} at {job.config.node}"
    run = KernelRun(job.kernel, problems=tuple(_problems(job, where)))
    if isinstance(job.netlist, Netlist):
        run = replace(run, resources=resources_of(job.netlist))
    if isinstance(job.clock, Figure):
        run = replace(run, clock=job.clock)
    if not isinstance(job.simulated, Simulated):
        return run
    result = job.simulated
    interval, latency = _cycles(job, result)
    return replace(
        run,
        elements=result.elements,
        mismatches=result.mismatches,
        interval=interval,
        latency=latency,
    )


def _cycles(job: Job, result: Simulated) -> tuple[Figure, Figure]:
    """Interval and latency of the whole node: measured, or as the kernel's models say."""
    if job.is_whole:
        varies = "" if result.interval is not None else "it varies from frame to frame"
        interval = Figure(result.interval, "cycles", "measured", varies)
        return interval, Figure(result.latency, "cycles")
    kernel = job.candidate.kernel.instance
    (interval_said,), _ = estimate(kernel, [job.config])
    cut = _sizes(job)
    reason = f"as its model says; a slice of {cut} took {result.interval or 'a varying number of'}"
    latency_said = first_to_last(schedule_of(kernel, job.config))
    return (
        Figure(interval_said, "cycles", "estimated", f"{reason} cycles"),
        Figure(latency_said, "cycles", "estimated", "as its model says"),
    )


def _sizes(job: Job) -> str:
    return " ".join(
        f"{n}={size}" for n, size in job.part.dims.items() if size != job.config.dims[n]
    )


def _problems(job: Job, where: str) -> list[Problem]:
    found = [
        _failed(error, where)
        for error in (job.whole, job.sliced if job.sliced is not job.whole else None)
        if isinstance(error, BrainsmithError)
    ]
    found += [
        _failed(error, where)
        for error in (job.simulated, job.netlist, job.clock)
        if isinstance(error, BrainsmithError)
    ]
    if isinstance(job.simulated, Simulated):
        found += _wrong(job, job.simulated, where)
    return found


def _failed(error: BrainsmithError, where: str) -> Problem:
    place = f"{where}: {error.where}" if error.where else where
    return Problem(error.what, place, error.hint or "", error.exit_code)


def _wrong(job: Job, result: Simulated, where: str) -> list[Problem]:
    found = []
    if result.first is not None:
        lanes = f"; {result.lanes}" if result.lanes else ""
        found.append(
            Problem(
                f"{result.mismatches} of {result.elements} elements are wrong; the first: "
                f"{result.first}{lanes}",
                f"{where}, {_shown(job)}",
                f"{_check(job.candidate.kernel)} of brainsmith.testing looks for the smallest "
                "configuration that fails, and `pytest --wave` shows its waveform",
            )
        )
    measured: Mapping[str, tuple[int | None, int]] = {
        "interval": (result.interval, result.said_interval),
        "latency": (result.latency, result.said_latency),
    }
    for what, (cycles, said) in measured.items():
        if cycles != said:
            taken = "varies from frame to frame" if cycles is None else f"is {cycles} cycles"
            found.append(
                Problem(
                    f"the {what} {taken}, its model says {said}",
                    f"{where}, {_shown(job)}",
                    f"mend the method `{what}` of the kernel: FIFO depths and folding follow from "
                    "it",
                )
            )
    return found


def _check(kernel: Component) -> str:
    """The call that checks a kernel: of a plugin where its tests run, which import it."""
    if kernel.plugin.origin == BUILT_IN:
        return f'`check_kernel("{kernel.full_name}")`'
    module, name = kernel.record["module"], kernel.record["class"]
    return f"in the plugin's tests, `from {module} import {name}` and `check_kernel({name})`"


def _shown(job: Job) -> str:
    """The configuration that was simulated, in a line."""
    config = job.part
    facts = {**config.dims, **config.dtypes, **config.folding, **config.params}
    return " ".join(f"{key}={value}" for key, value in facts.items())
