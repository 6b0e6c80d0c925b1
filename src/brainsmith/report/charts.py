"""The page's plots, from the records: bars of cycles, stacks of resources, bars of time.

All shares are of one. Texts are plain: the template escapes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from brainsmith.report import formatting
from brainsmith.report.records import (
    BuildReport,
    LayerAccuracyRecord,
    LayerRecord,
    QuantizationRecord,
)
from brainsmith.report.views import RESOURCES

OPERATION_COLOURS = 8
# More layers than this are drawn as columns without names: names would need a page of their own.
MOST_NAMED_BARS = 24


@dataclass(frozen=True, slots=True)
class CycleBar:
    """Cycles of a layer, as a share of the longest of all bars and the target."""

    index: int
    layer: LayerRecord
    share: float
    bottleneck: bool
    text: str
    short: str


@dataclass(frozen=True, slots=True)
class CycleChart:
    """Cycles of all layers, with the line that none may cross."""

    bars: tuple[CycleBar, ...]
    line: float | None
    line_label: str
    named: bool
    slowest: int


@dataclass(frozen=True, slots=True)
class Segment:
    """What one layer adds to a resource's bar; without an index, what is in no layer."""

    index: int | None
    name: str
    share: float
    text: str


@dataclass(frozen=True, slots=True)
class Stack:
    """A resource of all layers together, layer by layer."""

    resource: str
    total: str
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class StepBar:
    """A step of the build: when it started and how long it took, as shares of the whole."""

    name: str
    text: str
    start: float
    share: float
    cached: bool


@dataclass(frozen=True, slots=True)
class AccuracyBar:
    """Signal-to-noise ratios of a layer, as shares of the best; `weakest` loses most by itself."""

    layer: LayerAccuracyRecord
    share: float
    share_alone: float
    text: str
    alone: str
    weakest: bool


def accuracy_bars(record: QuantizationRecord) -> list[AccuracyBar]:
    """Two bars a layer, from none at 0 dB and below to a whole one; exact ones are whole."""
    ratios = [ratio for layer in record.layers for ratio in (layer.snr_db, layer.snr_alone_db)]
    best = max([1.0, *(ratio or 0.0 for ratio in ratios)])

    def share(ratio: float | None) -> float:
        return 1.0 if ratio is None else max(0.0, ratio / best)

    return [
        AccuracyBar(
            layer,
            share(layer.snr_db),
            share(layer.snr_alone_db),
            formatting.decibels(layer.snr_db),
            formatting.decibels(layer.snr_alone_db),
            layer is record.weakest,
        )
        for layer in record.layers
    ]


def cycle_chart(report: BuildReport) -> CycleChart:
    """Cycles per layer against the target interval, or the measured one where none was asked."""
    line, label = report.target_interval, "target"
    if line is None:
        interval = report.metrics.get("initiation_interval")
        line = int(interval.value) if interval and interval.value else None
        label = f"{interval.source} interval" if interval else ""
    longest = max([1, line or 0, *(layer.cycles for layer in report.layers)])
    slowest = report.bottlenecks
    bars = tuple(
        CycleBar(
            index,
            layer,
            layer.cycles / longest,
            layer.node in slowest,
            formatting.figure(layer.cycles),
            "".join(formatting.prefixed(layer.cycles)),
        )
        for index, layer in enumerate(report.layers)
    )
    share = line / longest if line else None
    return CycleChart(
        bars,
        share,
        f"{label} {formatting.figure(line)}" if line else "",
        len(bars) <= MOST_NAMED_BARS,
        sum(bar.bottleneck for bar in bars),
    )


def resource_names(report: BuildReport) -> list[str]:
    """Resources that some layer uses, the usual ones first."""
    used = {name for layer in report.layers for name, value in layer.resources.items() if value}
    return [*(name for name in RESOURCES if name in used), *sorted(used - set(RESOURCES))]


def stacks(report: BuildReport) -> list[Stack]:
    """One bar a resource, divided among the layers: those of one operation side by side."""
    colours = list(operation_colours(report))
    order = sorted(
        range(len(report.layers)), key=lambda i: colours.index(report.layers[i].operation)
    )
    return [_stack(report, name, order) for name in resource_names(report)]


def _stack(report: BuildReport, resource: str, order: Sequence[int]) -> Stack:
    uses = [layer.resources.get(resource, 0) for layer in report.layers]
    metric = report.metrics.get(resource)
    # The whole design is more than its layers: FIFOs, converters and the top that joins them.
    total = max(sum(uses), (metric.value or 0) if metric else 0)
    named = [(i, report.layers[i].node, uses[i]) for i in order]
    rest = (None, "FIFOs, converters, connections", total - sum(uses))
    segments = tuple(
        Segment(
            index,
            name,
            use / total,
            f"{formatting.figure(use)} {resource} · {formatting.percent(use / total)}",
        )
        for index, name, use in (*named, rest)
        if use
    )
    return Stack(resource, formatting.figure(total), segments)


def largest(report: BuildReport) -> dict[str, float]:
    """The greatest use of each resource by one layer: full length of the table's bars."""
    return {
        name: max(layer.resources.get(name, 0) for layer in report.layers)
        for name in resource_names(report)
    }


def step_bars(report: BuildReport) -> list[StepBar]:
    """The steps one after the other on one axis of time."""
    total = sum(step.seconds for step in report.steps) or 1.0
    bars, start = [], 0.0
    for step in report.steps:
        share = step.seconds / total
        text = formatting.seconds(step.seconds)
        bars.append(StepBar(step.name, text, start, share, step.cached))
        start += share
    return bars


def total_seconds(report: BuildReport) -> str:
    """Time of all steps together."""
    return formatting.seconds(sum(step.seconds for step in report.steps))


def operation_colours(report: BuildReport) -> dict[str, int]:
    """A colour's number for each operation, in the order in which they appear."""
    names = dict.fromkeys(layer.operation for layer in report.layers)
    return {name: index % OPERATION_COLOURS for index, name in enumerate(names)}
