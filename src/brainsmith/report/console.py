"""The summary of a build on a console, drawn with rich on the console that is given."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from brainsmith.report import charts, formatting, views
from brainsmith.report.records import (
    HOST_ROLES,
    BuildReport,
    LayerRecord,
    QuantizationRecord,
    SandboxRecord,
)

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

_VERDICT_STYLES = {"good": "bold green", "bad": "bold red", "open": "bold yellow"}
_NOTE_STYLES = {"info": "blue", "warning": "yellow", "error": "bold red"}
# A screen's worth; the page has them all.
MOST_LAYERS = 40
MOST_LOSSY_LAYERS = 10


def print_summary(report: BuildReport, console: Console) -> None:
    """Print layers, figures, verdict, notes and artifacts of `report` on `console`."""
    console.print()
    console.print(_title(report))
    if report.layers:
        console.print(_layers(report))
    console.print(_figures(report))
    if report.quantization is not None:
        console.print(_accuracy(report.quantization))
    for line in _lines(report):
        console.print(line)
    console.print()


def _title(report: BuildReport) -> Text:
    from rich.text import Text

    clock = f"{formatting.figure(report.clock_mhz)} MHz"
    return Text.assemble(
        (report.model, "bold"), f" on {report.target} at {clock}, strategy {report.strategy}"
    )


def _layers(report: BuildReport) -> Table:
    from rich import box
    from rich.table import Table

    resources = charts.resource_names(report)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("layer", "kernel", "folding"):
        table.add_column(name, overflow="fold")
    for name in ("cycles", *resources):
        table.add_column(name, justify="right", no_wrap=True)
    slowest = report.bottlenecks
    for layer in _shown(report):
        is_slowest = layer.node in slowest
        table.add_row(*_cells(layer, resources, is_slowest), style="bold" if is_slowest else "")
    hidden = len(report.layers) - table.row_count
    if hidden > 0:
        table.caption = f"and {hidden} faster layers, in the report"
    return table


def _shown(report: BuildReport) -> list[LayerRecord]:
    """The layers that fit, in the order of the dataflow; the slowest are always among them."""
    if len(report.layers) <= MOST_LAYERS:
        return list(report.layers)
    ordered = sorted(report.layers, key=lambda layer: -layer.cycles)[:MOST_LAYERS]
    kept = {layer.node for layer in ordered}
    return [layer for layer in report.layers if layer.node in kept]


def _cells(layer: LayerRecord, resources: list[str], is_slowest: bool) -> list[Text]:
    from rich.text import Text

    mark = Text(" ◀ bottleneck", style="red") if is_slowest else Text("")
    estimated = "~" if layer.resources_source == "estimated" else ""
    estimated = "guess " if layer.resources_reason else estimated
    cycles = "~" if layer.cycles_source == "estimated" else ""
    return [
        Text(layer.node) + mark,
        Text(f"{views.short_kernel(layer.kernel)} ({layer.backend})"),
        Text(formatting.folding(dict(layer.folding))),
        Text(cycles + formatting.figure(layer.cycles)),
        *(Text(estimated + formatting.figure(layer.resources.get(name, 0))) for name in resources),
    ]


def _accuracy(record: QuantizationRecord) -> Table:
    """The layers that lose most by themselves, in the order of the dataflow."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    ordered = sorted(charts.accuracy_bars(record), key=_lost)[:MOST_LOSSY_LAYERS]
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        title=f"quantized against float: {views.compared_frames(record)}",
        title_justify="left",
    )
    for name in ("layer", "codes", "SNR", "alone", "worst element"):
        table.add_column(name, justify="right" if name in ("SNR", "alone") else "left")
    for bar in charts.accuracy_bars(record):
        if bar in ordered:
            mark = Text(" ◀ loses most", style="red") if bar.weakest else Text("")
            layer = bar.layer
            worst = Text(views.worst_element(layer), style="dim")
            table.add_row(Text(layer.node) + mark, layer.datatype, bar.text, bar.alone, worst)
    more = len(record.layers) - len(ordered)
    hidden = [f"and {more} layers that lose less, in the report"] if more else []
    table.caption = Text("\n".join([*views.top_one(record), *hidden]), style="")
    table.caption_justify = "left"
    return table


def _lost(bar: charts.AccuracyBar) -> float:
    return math.inf if bar.layer.snr_alone_db is None else bar.layer.snr_alone_db


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 4} more" if len(names) > 5 else ""
    return ", ".join(names[:4] if more else names) + more


def _figures(report: BuildReport) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    table.add_column()
    available = {record.resource: record for record in report.utilisation}
    for name, metric in report.metrics.items():
        value = formatting.figure(metric.value)
        source = metric.source if metric.value is not None else None
        note = ", ".join(filter(None, (source, metric.reason, views.asked(report, name, metric))))
        if name in available and available[name].available:
            record = available[name]
            share = formatting.percent(record.used / record.available)
            note += f", {share} of {formatting.figure(record.available)}"
        unit = "" if metric.unit == name or metric.value is None else f" {metric.unit}"
        style = "yellow" if metric.source == "estimated" else "dim"
        table.add_row(Text(name), Text(value + unit), Text(note, style=style))
    return table


def _lines(report: BuildReport) -> Iterator[RenderableType]:
    from rich.text import Text

    level, headline, sentence = views.verdict(report)
    yield Text("")
    yield Text.assemble((headline, _VERDICT_STYLES[level]), f"  {sentence}")
    shown, folded = views.checks(report)
    for check in shown:
        mark = ("  ✔ ", "green") if check.passed else ("  ✘ ", "bold red")
        yield Text.assemble(mark, check.name, (f"  {check.detail}", "dim"))
    if folded:
        yield Text.assemble(("  ✔ ", "green"), f"{len(folded)} more checks passed")
    agreement = views.agreement(report)
    if agreement is not None:
        yield Text(f"  {agreement}")
    yield from _host(report)
    for line in views.fit_tries(report):
        yield Text.assemble(("fit  ", "blue"), line)
    for note in report.diagnostics:
        where = f" [{note.where}]" if note.where else ""
        hint = f"\n  hint: {note.hint}" if note.hint else ""
        yield Text.assemble(
            (note.severity, _NOTE_STYLES[note.severity]), f"  {note.message}", where, hint
        )
    yield from _sandbox(report.sandbox)
    took = views.steps(report)
    if took is not None:
        yield Text(took, style="dim")
    if report.artifacts:
        yield Text("")
    width = max((len(name) for name in report.artifacts), default=0)
    for name, path in report.artifacts.items():
        yield Text.assemble((f"{name:<{width}}  ", "dim"), path)


def _host(report: BuildReport) -> Iterator[Text]:
    from rich.text import Text

    for role, words in HOST_ROLES.items():
        nodes = [node.node for node in report.host_nodes if node.role == role]
        if nodes:
            yield Text.assemble(("on the host  ", "yellow"), f"{words} ({_some(nodes)})")
    for node in report.host_nodes:
        if node.role != "layer":
            continue
        yield Text.assemble(("on the host  ", "yellow"), (node.node, "bold"), f"  {node.reason}")


def _sandbox(record: SandboxRecord | None) -> Iterator[Text]:
    from rich.text import Text

    if record is None:
        return
    style = "bold yellow" if record.lowered else "green"
    yield Text.assemble(("plugins  ", style), f"confined {views.confinement(record)}")
    for plugin in record.plugins:
        yield Text.assemble("  ", (plugin.plugin, "bold"), f"  {views.plugin_calls(plugin)}")
        for what in plugin.refused:
            yield Text.assemble("    ", ("refused  ", "bold red"), what)
        for what in plugin.skipped:
            yield Text.assemble("    ", ("left out  ", "yellow"), what)
