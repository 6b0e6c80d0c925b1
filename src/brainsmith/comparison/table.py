"""A kernel's comparison as a table: a row for each kernel at each distinct node."""

from __future__ import annotations

from collections.abc import Iterator

from brainsmith.comparison.records import Figure, KernelComparison, KernelRun, NodeComparison
from brainsmith.comparison.summary import RESOURCES
from brainsmith.report import formatting


def columns(kernel: KernelComparison) -> list[str]:
    """The heads of the columns; a clock only where something was placed."""
    clock = ["MHz"] if _placed(kernel) else []
    return ["node", "folding", "kernel", "values", "cycles", "latency", *RESOURCES, *clock]


def rows(kernel: KernelComparison) -> Iterator[list[str]]:
    """The cells of each row, in the order of `columns`."""
    for node in kernel.compared:
        yield [_nodes(node), formatting.folding(dict(node.folding)), *_cells(kernel, node.own)]
        if node.rival is not None:
            yield ["", "", *_cells(kernel, node.rival)]


def _nodes(node: NodeComparison) -> str:
    more = f" and {len(node.nodes) - 1} equal" if len(node.nodes) > 1 else ""
    cut = ", ".join(f"{name}={size}" for name, size in (node.slice or {}).items())
    return f"{node.nodes[0]}{more}" + (f" (slice {cut})" if cut else "")


def _cells(kernel: KernelComparison, run: KernelRun) -> list[str]:
    clock = [_figure(run.clock)] if _placed(kernel) else []
    resources = [_figure(run.resources.get(name)) for name in RESOURCES]
    cycles = [_figure(run.interval), _figure(run.latency)]
    return [run.kernel.rpartition(":")[2], _values(run), *cycles, *resources, *clock]


def _values(run: KernelRun) -> str:
    if not run.elements:
        return "failed"
    return f"{formatting.figure(run.mismatches)} wrong" if run.mismatches else "exact"


def _figure(found: Figure | None) -> str:
    """The figure, with a tilde where it is an estimate."""
    if found is None or found.value is None:
        return "-"
    about = "~" if found.source == "estimated" else ""
    return about + formatting.figure(found.value)


def _placed(kernel: KernelComparison) -> bool:
    return any(node.own.clock is not None for node in kernel.compared)
