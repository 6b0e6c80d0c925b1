"""What the page shows, from the records: tiles, bars, gauges, with their shares and texts.

All shares are of one. Texts are plain: the template escapes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from brainsmith.report import formatting
from brainsmith.report.records import (
    BuildReport,
    CheckRecord,
    FitTryRecord,
    HostRecord,
    LayerAccuracyRecord,
    LayerRecord,
    Metric,
    PictureRecord,
    PluginCallsRecord,
    QuantizationRecord,
    SandboxRecord,
    Source,
    StreamRecord,
)

PRIMARY = ("throughput_fps", "initiation_interval", "latency_cycles", "fmax_mhz")
RESOURCES = ("LUT", "FF", "DSP", "BRAM")
LABELS = {
    "throughput_fps": "Throughput",
    "initiation_interval": "Initiation interval",
    "latency_cycles": "Latency",
    "fmax_mhz": "Clock",
}
UNITS = {"throughput_fps": "frames/s"}
MOST_CHECKS = 8


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure with its unit, where it comes from, and a line under it."""

    label: str
    value: str
    unit: str
    source: Source | None
    note: str
    missed: bool


@dataclass(frozen=True, slots=True)
class Gauge:
    """A resource: used, and of how many where the device says so."""

    resource: str
    used: str
    available: str | None
    share: float
    percent: str
    level: str
    source: Source | None


def tiles(report: BuildReport) -> list[Tile]:
    """The four figures that matter most."""
    found = ((name, report.metrics.get(name)) for name in PRIMARY)
    return [_tile(report, name, metric) for name, metric in found if metric is not None]


def other_tiles(report: BuildReport) -> list[Tile]:
    """Every metric that is neither primary nor shown as a resource."""
    known = {*PRIMARY, *RESOURCES, *(record.resource for record in report.utilisation)}
    return [_tile(report, name, m) for name, m in report.metrics.items() if name not in known]


def _tile(report: BuildReport, name: str, metric: Metric) -> Tile:
    value, prefix = (
        (formatting.figure(metric.value), "")
        if name == "fmax_mhz"
        else formatting.prefixed(metric.value)
    )
    unit = f"{prefix}{formatting.THIN if prefix else ''}{UNITS.get(name, metric.unit)}"
    unit = "" if metric.value is None else unit
    label = LABELS.get(name, name.replace("_", " "))
    source = None if metric.value is None else metric.source
    notes = (metric.reason, _note(report, name, metric))
    return Tile(
        label, value, unit, source, " · ".join(filter(None, notes)), _missed(report, name, metric)
    )


def _missed(report: BuildReport, name: str, metric: Metric) -> bool:
    """Whether less was reached than asked for."""
    asked = {"fmax_mhz": report.clock_mhz, "throughput_fps": report.target_fps}.get(name)
    return asked is not None and metric.value is not None and metric.value < asked


def asked(report: BuildReport, name: str, metric: Metric) -> str | None:
    """What was asked for, and whether it was reached."""
    wanted = {"fmax_mhz": report.clock_mhz, "throughput_fps": report.target_fps}.get(name)
    if not wanted or metric.value is None:
        return None
    reached = "not reached" if _missed(report, name, metric) else "reached"
    return f"{formatting.figure(wanted)} asked for: {reached}"


def _note(report: BuildReport, name: str, metric: Metric) -> str:
    if metric.value is None:
        return ""
    if name == "fmax_mhz":
        return f"{formatting.figure(report.clock_mhz)}{formatting.THIN}MHz asked for"
    if name == "throughput_fps" and report.target_fps:
        value, prefix = formatting.prefixed(report.target_fps)
        return f"{value}{formatting.THIN}{prefix} asked for"
    if name in ("latency_cycles", "initiation_interval") and report.clock_mhz:
        time = formatting.seconds(metric.value / (report.clock_mhz * 1e6))
        return f"{time} at {formatting.figure(report.clock_mhz)}{formatting.THIN}MHz"
    return ""


def compared_frames(record: QuantizationRecord) -> str:
    """On how many frames, and of which file, a float model and its quantized one were compared."""
    of = f" of {record.available}" if record.available > record.frames else ""
    return f"{record.frames}{of} frames of {record.data}"


def picture_title(picture: PictureRecord) -> str:
    """What a picture shows."""
    if picture.role == "difference":
        return "Difference to the reference"
    by = ", as the hardware computes it" if picture.role == "output" else ""
    return f"{picture.role.capitalize()} {picture.value}{by}"


def top_one(record: QuantizationRecord) -> list[str]:
    """A sentence for each output at which classes are told apart."""
    return [
        f"{found.output}: the same class in {found.same} of {found.total} cases "
        f"({formatting.percent(found.same / found.total)})"
        for found in record.outputs
    ]


def worst_element(layer: LayerAccuracyRecord) -> str:
    """The element that differs most, with its place and both values."""
    worst = layer.worst
    return (
        f"{worst.real:.4g} became {worst.quantized:.4g} at {list(worst.index)}, frame {worst.frame}"
    )


def gauges(report: BuildReport) -> list[Gauge]:
    """One for each resource of the device, then one for each that only the metrics name."""
    shown = []
    for record in report.utilisation:
        share = record.used / record.available if record.available else float(record.used > 0)
        shown.append(
            Gauge(
                record.resource,
                formatting.figure(record.used),
                formatting.figure(record.available),
                min(share, 1.0),
                formatting.percent(share),
                "over" if share > 1 else "high" if share > 0.8 else "fine",
                _source(report, record.resource),
            )
        )
    known = {gauge.resource for gauge in shown}
    for name in RESOURCES:
        metric = report.metrics.get(name)
        if metric is not None and name not in known:
            used = formatting.figure(metric.value)
            shown.append(Gauge(name, used, None, 0.0, "", "fine", metric.source))
    return shown


def _source(report: BuildReport, resource: str) -> Source | None:
    metric = report.metrics.get(resource)
    return metric.source if metric else None


def verdict(report: BuildReport) -> tuple[str, str, str]:
    """(level, headline, sentence): level is good, bad or open."""
    record = report.verification
    frames = f"{formatting.figure(record.vectors)} frame{'' if record.vectors == 1 else 's'}"
    if record.bit_exact is None:
        return "open", "Not verified", "What the hardware computes was not compared."
    if not record.bit_exact:
        count = formatting.figure(record.mismatches)
        return "bad", "Not exact", f"{count} elements of {frames} differ from the reference."
    failed = [check.name for check in record.checks if not check.passed]
    if failed:
        more = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
        return "bad", "Bit-exact, but a check failed", f"The failed check: “{failed[0]}”{more}."
    if record.scope == "network":
        said = f"{frames} through the whole network in RTL simulation: every element equal."
        return "good", "Bit-exact", said
    alone = (
        f"on what {frames} of the network lead to, in RTL simulation: every element equal. The "
        "whole design was not simulated"
    )
    if record.scope == "slices":
        cut = sum("(a slice: " in check.name for check in record.checks)
        said = f"{cut} layers as slices, the others whole, each alone, {alone}."
        return "good", "Layers bit-exact as far as they were simulated", said
    return "good", "Layers bit-exact", f"Each layer alone, {alone}."


def fit_tries(report: BuildReport) -> list[str]:
    """The designs that were looked at for the fastest that fits, a sentence each."""
    record = report.fit
    tries = () if record is None else record.tries
    return [
        f"{formatting.figure(one.interval)} cycles a frame: {_used(one)}; "
        f"{'fits' if one.fits else 'does not fit'}"
        f"{', chosen' if record is not None and number == record.chosen else ''}"
        for number, one in enumerate(tries)
    ]


def _used(one: FitTryRecord) -> str:
    """Measured of what there is, and what was estimated before."""
    said = []
    for name, there in one.available.items():
        if one.measured is None:
            said.append(f"{name} {one.estimated[name]} of {there} estimated")
        else:
            real = one.measured[name]
            said.append(f"{name} {real} of {there} measured ({one.estimated[name]} estimated)")
    return ", ".join(said)


def checks(report: BuildReport) -> tuple[list[CheckRecord], list[CheckRecord]]:
    """The checks to show at once, every failed one among them, and the passed ones to fold away."""
    found = report.verification.checks
    room = MOST_CHECKS if len(found) > MOST_CHECKS + 2 else len(found)
    shown = [check for i, check in enumerate(found) if not check.passed or i < room]
    return shown, [check for i, check in enumerate(found) if check.passed and i >= room]


def faithful(report: BuildReport) -> list[tuple[str, str]]:
    """Figures of the comparison with the original model, without what `agreement` says."""
    record = report.verification
    said = set() if record.agreement is None else {"agreement", "share", "largest_difference"}
    values = {k: v for k, v in (record.faithful or {}).items() if k not in said}
    return list(facts(values))


def agreement(report: BuildReport) -> str | None:
    """How the outputs agree with the original model's, in one line."""
    record = report.verification.agreement
    if record is None:
        return None
    if record.share == 1:
        return "100 % of outputs equal to the original model's"
    near = record.within_rounding
    off = f"at most {formatting.figure(record.largest_difference)} off"
    equal = f"{_percent(record.share)} the same number, {off}"
    if near == 1:
        return f"100 % of outputs agree with the original model's within float32 rounding ({equal})"
    start = f"{_percent(record.share)} of outputs equal to the original model's, {off}"
    if near is not None:
        start = (
            f"{_percent(near)} of outputs agree with the original model's within float32 rounding "
            f"({equal})"
        )
    figures = report.verification.faithful or {}
    ambiguous = figures.get("ambiguous")
    if not ambiguous:
        return start
    return (
        f"{start}: {ambiguous} of {figures.get('codes')} codes lie where float32 is ambiguous, "
        "and what follows from them differs"
    )


def _percent(share: float) -> str:
    """Four digits, and never 100 where it is less."""
    return f"{min(share * 100, 99.99) if share < 1 else 100:.4g} %"


def steps(report: BuildReport) -> str | None:
    """How long it took, and what came from the cache."""
    if not report.steps:
        return None
    total = formatting.seconds(sum(step.seconds for step in report.steps))
    cached = [step.name for step in report.steps if step.cached]
    return f"{total} in all; from the cache: {', '.join(cached)}" if cached else f"{total} in all"


def confinement(record: SandboxRecord) -> str:
    """How plugins were confined, in one sentence."""
    said = f"at {record.level}: {record.meaning}"
    if record.lowered:
        said += f". The user asked for this level by name; {record.required} would be required"
    return said if record.plugins else f"{said}. No plugin was called in a process of its own"


def plugin_calls(record: PluginCallsRecord) -> str:
    """What a plugin's calls took, in one line."""
    calls = f"{formatting.figure(record.calls)} call{'' if record.calls == 1 else 's'}"
    return f"{calls}, {formatting.seconds(record.seconds)}, {formatting.size(record.peak_memory)}"


def facts(values: Mapping[str, object] | None) -> Iterator[tuple[str, str]]:
    """Names and values as texts."""
    for name, value in (values or {}).items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        text = formatting.figure(value) if is_number else str(value)  # type: ignore[arg-type]
        yield name.replace("_", " "), text


def short_kernel(name: str) -> str:
    """`plugin:Kernel` without its plugin."""
    return name.rpartition(":")[2]


def unconnected_hosts(report: BuildReport) -> list[HostRecord]:
    """Host nodes that no stream names, so that the graph does not show them."""
    ends = {end for stream in report.streams for end in (stream.source, stream.sink)}
    return [node for node in report.host_nodes if node.node not in ends]


def describe(layer: LayerRecord) -> str:
    """A layer in a few lines, for the tooltip."""
    lines = [
        layer.node,
        f"{layer.kernel} ({layer.operation}, {layer.backend})",
        formatting.folding(dict(layer.folding)),
        f"{formatting.figure(layer.cycles)} cycles a frame, {layer.cycles_source}",
        " · ".join(f"{formatting.figure(v)} {k}" for k, v in layer.resources.items() if v),
        *(f"in  {text}" for text in layer.inputs),
        *(f"out {text}" for text in layer.outputs),
    ]
    return "\n".join(line for line in lines if line)


def _fifo(stream: StreamRecord) -> str:
    if not stream.fifo_depth:
        return ""
    said = f"FIFO of {formatting.figure(stream.fifo_depth)} beats"
    if stream.modelled_depth in (0, stream.fifo_depth):
        return said
    return f"{said}, by simulation ({formatting.figure(stream.modelled_depth)} by the model)"


def describe_stream(stream: StreamRecord) -> str:
    """A stream in a few lines, for the tooltip."""
    lines = [
        f"{stream.source} → {stream.sink}",
        f"{stream.elements} elements of {stream.bits} bits a beat",
        _fifo(stream),
        "data-width converter" if stream.converter else "",
    ]
    return "\n".join(line for line in lines if line)
