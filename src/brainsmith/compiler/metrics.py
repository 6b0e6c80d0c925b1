"""The report of a build: each figure with its unit and whether it was measured or estimated."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from brainsmith.api import Resources
from brainsmith.compiler.design import Instance, Partition, StreamEdge
from brainsmith.compiler.explanation import host_records
from brainsmith.compiler.fit import doubts
from brainsmith.compiler.folding import estimate
from brainsmith.compiler.frontend import FrontEnd
from brainsmith.compiler.guess import NO_MODEL, has_model
from brainsmith.compiler.options import CompileOptions
from brainsmith.compiler.schedule import first_to_last, schedule_of
from brainsmith.compiler.strategy import CompilationStrategy
from brainsmith.compiler.targets import Resource, Target
from brainsmith.compiler.verification import Evidence, record
from brainsmith.report.records import (
    INPUT,
    OUTPUT,
    BuildReport,
    Diagnostic,
    LayerRecord,
    Metric,
    Source,
    StepRecord,
    StreamRecord,
    ToolRecord,
    UtilisationRecord,
)
from brainsmith.toolchains.process import BuildLog

if TYPE_CHECKING:
    from brainsmith.compiler.physical import Physical

NAMES: tuple[Resource, ...] = ("LUT", "FF", "DSP", "BRAM")


def report(
    model: str,
    front: FrontEnd,
    target: Target,
    strategy: CompilationStrategy,
    options: CompileOptions,
    clock: float,
    evidence: Evidence | None,
    physical: Physical | None,
    steps: Sequence[StepRecord],
    log: BuildLog,
) -> BuildReport:
    """Everything that is reported of a build; `clock` is that which it is built for, in MHz."""
    verdict = record(evidence, front.models)
    total = total_resources(front, physical)
    return BuildReport(
        success=all(check.passed for check in verdict.checks),
        model=model,
        target=target.name,
        strategy=strategy.name,
        clock_mhz=clock,
        verification=verdict,
        metrics=_metrics(front, target, clock, evidence, physical, total),
        layers=tuple(_layers(front, evidence, physical)),
        streams=tuple(s for p in front.design.partitions for s in _streams(p, front)),
        host_nodes=tuple(host_records(front.original, front.compiled, front.mapping)),
        utilisation=tuple(
            UtilisationRecord(name, _whole(total)[name], target.resources[name])
            for name in NAMES
            if name in target.resources
        ),
        steps=tuple(steps),
        tools=tuple(_tools(log)),
        diagnostics=(
            *_diagnostics(front, physical, clock),
            *doubts(front, target, strategy, options),
        ),
        target_fps=options.target_fps,
    )


def _whole(resources: Resources) -> dict[str, int]:
    """Whole primitives: an estimate may lie between two numbers."""
    return {name: round(count) for name, count in resources.as_dict().items()}


def with_artifacts(report: BuildReport, paths: Mapping[str, Path]) -> BuildReport:
    """The report with the places of what was written."""
    return dataclasses.replace(report, artifacts={name: str(path) for name, path in paths.items()})


def total_resources(front: FrontEnd, physical: Physical | None) -> Resources:
    """Those of all partitions: measured where they were synthesised, else estimated."""
    parts = physical.totals.values() if physical is not None else front.estimates.values()
    return sum(parts, Resources())


def _metrics(
    front: FrontEnd,
    target: Target,
    clock: float,
    evidence: Evidence | None,
    physical: Physical | None,
    total: Resources,
) -> dict[str, Metric]:
    interval, latency, source = _cycles(front, evidence)
    varies = "it varies from frame to frame" if interval is None else None
    fmax, reason = _fmax(target, physical)
    spent: Source = "measured" if physical is not None else "estimated"
    return {
        "initiation_interval": Metric(interval, "cycles", source, varies),
        "latency_cycles": Metric(latency, "cycles", source),
        "throughput_fps": _rate(interval, clock, fmax, source),
        "fmax_mhz": Metric(fmax, "MHz", "measured", reason),
        **{name: Metric(_whole(total)[name], name, spent) for name in NAMES},
    }


def _rate(interval: int | None, clock: float, fmax: float | None, source: Source) -> Metric:
    """Frames per second at the clock that was asked for, as far as it was reached."""
    if interval is None:
        return Metric(None, "frames/s", source, "the interval varies from frame to frame")
    if fmax is None:
        return Metric(clock * 1e6 / interval, "frames/s", "estimated", f"at {clock:g} MHz")
    reached = min(fmax, clock)
    return Metric(reached * 1e6 / interval, "frames/s", source, f"at {reached:.1f} MHz")


def _cycles(front: FrontEnd, evidence: Evidence | None) -> tuple[int | None, int, Source]:
    """Interval and latency of the whole network, and how they were obtained.

    The interval is None where it was measured and is not the same for all frames.
    """
    if evidence is None or not evidence.networks:
        models = front.models.values()
        return max(m.interval for m in models), sum(m.latency for m in models), "estimated"
    runs = evidence.networks.values()
    intervals = [run.interval for run in runs if run.interval is not None]
    interval = max(intervals) if len(intervals) == len(runs) else None
    return interval, sum(run.latency for run in runs), "measured"


def _fmax(target: Target, physical: Physical | None) -> tuple[float | None, str | None]:
    if physical is not None and physical.placements:
        slowest = min(physical.placements.values(), key=lambda p: p.fmax_mhz)
        through = ", ".join(slowest.critical_instances)
        return slowest.fmax_mhz, f"slowest path in {through}" if through else None
    if not target.placeable:
        return None, f"no open tool places for {target.name}"
    return None, "the design was not placed"


def _layers(
    front: FrontEnd, evidence: Evidence | None, physical: Physical | None
) -> list[LayerRecord]:
    alone = {run.node: run for run in evidence.layers} if evidence is not None else {}
    records = []
    for layer in front.design.layers:
        run = alone.get(layer.name)
        run = None if run is None or run.part else run  # a slice's cycles are not the layer's
        measured = run.interval if run is not None else None
        config = layer.config
        resources = front.estimates[layer.name]
        if physical is not None:
            resources = physical.resources[layer.name]
        records.append(
            LayerRecord(
                node=config.node,
                operation=layer.candidate.info.operation_type,
                kernel=layer.candidate.kernel.full_name,
                backend=layer.candidate.backend,
                folding=dict(config.folding),
                cycles=measured or _interval(layer),
                cycles_source="measured" if measured is not None else "estimated",
                resources=_whole(resources),
                resources_source="measured" if physical is not None else "estimated",
                resources_reason=_guessed(layer) if physical is None else None,
                latency=run.latency if run is not None else _latency(layer),
                inputs=tuple(_ports(layer, "in")),
                outputs=tuple(_ports(layer, "out")),
                params=dict(config.params),
            )
        )
    return records


def _guessed(layer: Instance) -> str | None:
    return None if has_model(layer.kernel) else NO_MODEL


def _interval(layer: Instance) -> int:
    return estimate(layer.kernel, [layer.config])[0][0]


def _latency(layer: Instance) -> int:
    return first_to_last(schedule_of(layer.kernel, layer.config))


def _ports(layer: Instance, direction: str) -> list[str]:
    config = layer.config
    return [
        f"{p.name}[{','.join(str(config.dims[d]) for d in p.dims)}] {config.dtypes[p.name]}"
        for p in config.nest.ports
        if p.direction == direction and config.is_stream(p.name)
    ]


def _streams(partition: Partition, front: FrontEnd) -> list[StreamRecord]:
    """The streams between layers; what the compiler inserted is told on the edge."""
    into = {edge.sink.instance: edge for edge in partition.edges if not edge.sink.external}
    records = []
    for edge in partition.edges:
        if not edge.sink.external and partition.instance(edge.sink.instance).role != "layer":
            continue
        depth, modelled, converter, source = 0, 0, False, edge
        while not source.source.external:
            instance = partition.instance(source.source.instance)
            depth += source.depth
            modelled += front.modelled_depths.get(source.source.instance, source.depth)
            if instance.role == "layer":
                break
            converter = converter or instance.role == "converter"
            source = into[instance.name]
        records.append(
            StreamRecord(
                _end(partition, source, source.source.instance, INPUT),
                _end(partition, edge, edge.sink.instance, OUTPUT),
                edge.elements, edge.bits, depth, converter, modelled,
            )
        )  # fmt: skip
    return records


def _end(partition: Partition, edge: StreamEdge, instance: str, outside: str) -> str:
    return partition.instance(instance).config.node if instance else outside


def _tools(log: BuildLog) -> list[ToolRecord]:
    seen = {call.tool: call.version for call in log.calls if call.version}
    return [ToolRecord(name, version) for name, version in sorted(seen.items())]


def _diagnostics(front: FrontEnd, physical: Physical | None, clock: float) -> list[Diagnostic]:
    placements = physical.placements if physical is not None else {}
    found = [Diagnostic("warning", what, where) for what, where in front.mapping.warnings]
    return found + [
        Diagnostic(
            "warning",
            f"{placement.fmax_mhz:.1f} MHz were reached, {clock:g} were asked for",
            name,
            "ask for a lower clock, or fold more",
        )
        for name, placement in placements.items()
        if placement.fmax_mhz < clock
    ]
