"""The compiler: from the model's file to a verified, synthesised and placed design."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from brainsmith.api import Resources
from brainsmith.board.clocking import clock
from brainsmith.compiler import artifacts, metrics
from brainsmith.compiler.accelerator import Accelerator
from brainsmith.compiler.accuracy import quantization_record
from brainsmith.compiler.codegen import Rtl, generate
from brainsmith.compiler.deployment import Deployment, check_board, deployment_of
from brainsmith.compiler.effort import generated_frames
from brainsmith.compiler.exact_fifo import shrink
from brainsmith.compiler.explanation import NodeExplanation, explain
from brainsmith.compiler.fit import check_estimate, check_measured
from brainsmith.compiler.frontend import (
    FrontEnd,
    design_of,
    front_end,
    load_and_map,
    mapped_to_hardware,
    pinned_by,
)
from brainsmith.compiler.implement import implemented
from brainsmith.compiler.mapping import Mapped
from brainsmith.compiler.options import CompileOptions
from brainsmith.compiler.output import build_folder
from brainsmith.compiler.pictures import pictures
from brainsmith.compiler.plugin_calls import sandbox_record
from brainsmith.compiler.preflight import check_tools, placing
from brainsmith.compiler.progress import Progress, Silent
from brainsmith.compiler.quantization import quantizing_first
from brainsmith.compiler.result import CompilationResult
from brainsmith.compiler.strategy import CompilationStrategy, ResolvedStrategy, load_strategy
from brainsmith.compiler.targets import Target, get_target, list_targets
from brainsmith.compiler.vectors import Vectors, vectors_for
from brainsmith.compiler.verification import Evidence, parts_of, verify
from brainsmith.plugins import PluginRegistry
from brainsmith.plugins.grants import Grant
from brainsmith.plugins.locked import keep_to_lock
from brainsmith.plugins.sandboxing import SandboxSettings, settings_from
from brainsmith.report.records import FitRecord, PictureRecord, QuantizationRecord, StepRecord
from brainsmith.sandbox.levels import Level
from brainsmith.sandbox.record import Ledger
from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.process import BuildLog

if TYPE_CHECKING:
    from brainsmith.compiler.physical import Physical

StrategySource = str | Path | CompilationStrategy


@dataclass
class StepTimer:
    """How long each step took."""

    progress: Progress
    log: BuildLog
    steps: list[StepRecord] = field(default_factory=list)

    @contextmanager
    def step(self, name: str, total: int | None = None, *, shown: bool = True) -> Iterator[None]:
        if shown:
            self.progress.step(name, total)
        start, calls = time.perf_counter(), len(self.log.calls)
        yield
        made = self.log.calls[calls:]
        cached = bool(made) and all(call.cached for call in made if call.tool != "simulation")
        self.steps.append(StepRecord(name, time.perf_counter() - start, cached))


class Compiler:
    """Compiles models.

    Args:
        registry: where components are found; the built-in plugin's if None.
        cache: results of tools; the user's cache if None.
        progress: who watches.
        ledger: where the calls of plugins are noted; one for each compile if None.
    """

    def __init__(
        self,
        registry: PluginRegistry | None = None,
        cache: BuildCache | None = None,
        progress: Progress | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        self.registry = registry or PluginRegistry()
        self.cache = cache or BuildCache()
        self.progress = progress or Silent()
        self.ledger = ledger

    def compile(
        self,
        model: str | Path,
        strategy: StrategySource = "balanced",
        options: CompileOptions | None = None,
    ) -> CompilationResult:
        """Compiles a model and writes the build.

        Args:
            model: an ONNX or QONNX file.
            strategy: a name, a YAML file, or an object.
            options: target, clock, verification, output.

        Raises:
            ModelError: the model cannot be read or compiled.
            ConfigurationError: strategy, folding or an option names what does not exist.
            PluginError: a plugin is broken, or is not the one in the project's `brainsmith.lock`.
            PluginSecurityError: a plugin did what its sandbox does not allow, or asks for more
                than it was granted.
            TargetError: the target is unknown or too small, or the speed cannot be reached.
            ToolError: a tool is missing or failed.
            VerificationError: the hardware hangs or breaks the wire contract. (Where it computes
                something else than the reference, the result says so and has no success.)
            StorageError: the build cannot be written.
        """
        options = options or CompileOptions()
        path = Path(model)
        registry, settings = self._registry_for(options)
        target = get_target(options.target, registry)
        resolved = load_strategy(strategy, registry).resolved(registry)
        if options.quantize is not None:
            resolved = quantizing_first(
                resolved, options.quantize, options.calibrate, options.calibration_method
            )
        log = BuildLog()
        timer = StepTimer(self.progress, log)
        output = options.output or Path("build") / path.stem
        try:
            with timer.step("front end", shown=False):
                front, fitted = self._front_end(path, resolved, target, registry, options, log)
                check_board(front.design, target)
                check_estimate(front, target, options, list_targets(registry)[0])
                check_tools(options, target)
                vectors = None
                if options.extent != "none":
                    count = generated_frames(front, options.extent)
                    vectors = vectors_for(front.original, options, count)
                accuracy = quantization_record(front, options, self.progress)
        except BaseException:
            if settings.ledger.printed():
                artifacts.keep_log(log, settings.ledger, output)
            raise
        try:
            if options.fifo == "exact":
                with timer.step("shrink FIFOs", shown=False):
                    front = shrink(front, self.cache, log, self.progress)
            with build_folder(output) as folder:
                job = _Job(
                    self,
                    front,
                    target,
                    resolved,
                    options,
                    settings,
                    vectors,
                    accuracy,
                    fitted,
                    log,
                    timer,
                )
                result = job.build(path, folder, output)
        finally:
            self.progress.done()
        return result

    def explain(
        self,
        model: str | Path,
        strategy: StrategySource = "balanced",
        *,
        target: str = "ecp5-85k",
        shapes: Mapping[str, Sequence[int]] | None = None,
        sandbox: Level | str | None = None,
        grants: Mapping[str, Grant] | None = None,
    ) -> list[NodeExplanation]:
        """For each node of the model, the kernel that takes it, or why none does."""
        options = CompileOptions(
            target=target, shapes=shapes or {}, sandbox=sandbox, grants=grants or {}
        )
        registry, _ = self._registry_for(options)
        family = get_target(target, registry).family
        resolved = load_strategy(strategy, registry).resolved(registry)
        found = load_and_map(Path(model), resolved, registry, family, options, self.progress)
        self.progress.done()
        return explain(found.original, found.compiled, found.mapping)

    def _front_end(
        self,
        path: Path,
        strategy: ResolvedStrategy,
        target: Target,
        registry: PluginRegistry,
        options: CompileOptions,
        log: BuildLog,
    ) -> tuple[FrontEnd, FitRecord | None]:
        """The design, and how it was found where the fastest that fits was asked for."""
        if not options.fit:
            return front_end(path, strategy, target, registry, options, self.progress), None
        from brainsmith.compiler.fitting import fastest_that_fits

        check_tools(options, target)
        found = mapped_to_hardware(path, strategy, target, registry, options, self.progress)
        tries = itertools.count(1)

        def design(nodes: Sequence[Mapped]) -> FrontEnd:
            return design_of(found, nodes, path, strategy, registry, target.family)

        def measure(front: FrontEnd) -> Mapping[str, Resources]:
            from brainsmith.compiler.physical import distinct_parts, synthesize

            parts = implemented(front.design.partitions)
            rtls = [generate(partition, modules) for partition, modules in parts]
            self.progress.step(f"fit, try {next(tries)}", distinct_parts(rtls))
            return synthesize(rtls, target, self.cache, log, self.progress).resources

        self.progress.step("fit")
        return fastest_that_fits(
            found.mapping.mapped, target, pinned_by(options), design,
            measure if options.synthesize else None,
        )  # fmt: skip

    def _registry_for(self, options: CompileOptions) -> tuple[PluginRegistry, SandboxSettings]:
        """The components of one compile, and how those of plugins are confined."""
        registry = keep_to_lock(self.registry, Path.cwd())
        settings = settings_from(registry, options.sandbox, options.grants, ledger=self.ledger)
        return registry.confined(settings), settings


@dataclass
class _Job:
    """One compile, after its front end."""

    compiler: Compiler
    front: FrontEnd
    target: Target
    strategy: ResolvedStrategy
    options: CompileOptions
    settings: SandboxSettings
    vectors: Vectors | None
    accuracy: QuantizationRecord | None
    fitted: FitRecord | None
    log: BuildLog
    timer: StepTimer

    def build(self, path: Path, folder: Path, output: Path) -> CompilationResult:
        ledger = self.settings.ledger
        with self.timer.step("generate"):
            rtls = [
                generate(partition, modules)
                for partition, modules in implemented(self.front.design.partitions)
            ]
            artifacts.write_rtl(rtls, folder)
            deployment = self._deployment(rtls)
        try:
            evidence, physical = self._simulate_and_synthesize(rtls)
            if physical is not None:
                physical = self._finish(rtls, evidence, physical, deployment)
            report = metrics.report(
                path.name, self.front, self.target, self.strategy, self.options,
                self._clock_mhz(deployment), evidence, physical, self.timer.steps, self.log,
            )  # fmt: skip
            report = replace(
                report,
                sandbox=sandbox_record(self.settings),
                quantization=self.accuracy,
                fit=self.fitted,
                pictures=self._pictures(evidence),
            )
            paths = artifacts.write(
                folder, output, report, self.front.compiled, physical, deployment, self.log, ledger
            )
        except BaseException:
            artifacts.keep_log(self.log, ledger, output)
            raise
        accelerator = None
        if evidence is not None and evidence.simulations:
            by_name = {rtl.partition.name: rtl for rtl in rtls}
            accelerator = Accelerator(
                self.front.design, self.front.compiled, by_name, evidence.simulations, deployment
            )
        final = metrics.with_artifacts(report, paths)
        return CompilationResult(final, self.front.design, self.front.compiled, paths, accelerator)

    def _pictures(self, evidence: Evidence | None) -> tuple[PictureRecord, ...]:
        if evidence is None or self.vectors is None:
            return ()
        return pictures(self.front, self.vectors, evidence)

    def _simulate_and_synthesize(
        self, rtls: Sequence[Rtl]
    ) -> tuple[Evidence | None, Physical | None]:
        """Both at once, since neither needs the other and each has time to wait for."""
        cache, progress = self.compiler.cache, self.timer.progress
        work: dict[str, int] = {}
        if self.vectors is not None:
            work["simulate"] = parts_of(rtls, self.options.extent)
        if self.options.synthesize:
            from brainsmith.compiler.physical import distinct_parts

            work["synthesize"] = distinct_parts(rtls)
        name, parts = " and ".join(work) or "finish", sum(work.values())
        with self.timer.step(name, parts), self._aside() as pool:
            synthesis = None
            if self.options.synthesize:
                from brainsmith.compiler.physical import synthesize

                synthesis = pool.submit(synthesize, rtls, self.target, cache, self.log, progress)
            evidence = None
            if self.vectors is not None:
                evidence = verify(
                    self.front, rtls, self.vectors, extent=self.options.extent,
                    seed=self.options.seed, cache=cache, log=self.log, progress=progress,
                )  # fmt: skip
            return evidence, synthesis.result() if synthesis is not None else None

    def _clock_mhz(self, deployment: Deployment | None) -> float:
        """The clock that is asked for; of a board, the one that its PLL makes of that."""
        if deployment is not None:
            return deployment.clock_hz / 1e6
        return self.options.clock_mhz or self.target.clock_mhz

    def _deployment(self, rtls: Sequence[Rtl]) -> Deployment | None:
        """The record of the board, where the target is one."""
        board = self.target.board
        if board is None:
            return None
        made = clock(self.target.family, board.oscillator_mhz, self._clock_mhz(None))
        return deployment_of(self.front.design, rtls[0], self.target, board, made.hz)

    def _finish(
        self,
        rtls: Sequence[Rtl],
        evidence: Evidence | None,
        physical: Physical,
        deployment: Deployment | None,
    ) -> Physical:
        """One frame on the netlist, and placement, as far as they are asked for; both at once."""
        from brainsmith.compiler.physical import check_netlist

        check_measured(
            self.front, self.target, physical.resources, self.options,
            list_targets(self.compiler.registry)[0],
        )  # fmt: skip
        cache, options = self.compiler.cache, self.options
        wanted_place = placing(options, self.target)
        by_default = wanted_place and options.extent == "whole"
        checking = by_default if options.verify_netlist is None else options.verify_netlist
        names = [
            name
            for name, wanted in (
                ("simulate the netlist", checking and evidence is not None),
                ("place and route", wanted_place),
            )
            if wanted
        ]
        if not names:
            return physical
        with self.timer.step(" and ".join(names)), self._aside() as pool:
            netlist = None
            if checking and evidence is not None:
                values = evidence.values
                netlist = pool.submit(check_netlist, rtls, physical, values, cache, self.log)
            if wanted_place:
                physical = self._place(rtls, physical, deployment)
            if netlist is not None and evidence is not None:
                evidence.netlist = netlist.result()
        return physical

    def _place(
        self, rtls: Sequence[Rtl], physical: Physical, deployment: Deployment | None
    ) -> Physical:
        """The design placed: alone, or on its board."""
        from brainsmith.compiler.physical import place, place_on_board

        cache, seed, log = self.compiler.cache, self.options.seed, self.log
        if deployment is not None:
            return place_on_board(physical, deployment, self.target, seed, cache, log)
        mhz = self._clock_mhz(None)
        return place(physical, rtls, self.target, mhz, seed, cache, log)

    @contextmanager
    def _aside(self) -> Iterator[ThreadPoolExecutor]:
        """A thread for what goes on beside; an error or an interrupt here stops its tools too."""
        with ThreadPoolExecutor(1) as pool:
            try:
                yield pool
            except BaseException:
                self.log.stop.set()
                raise
