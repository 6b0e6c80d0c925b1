"""`brainsmith explain`: the kernel that takes each node, or what speaks against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from brainsmith.cli import options as shared
from brainsmith.cli.outcome import Outcome

if TYPE_CHECKING:
    from rich.console import Console

    from brainsmith.compiler import NodeExplanation


def explain(
    model: shared.Model,
    strategy: shared.Strategy = "balanced",
    target: shared.Target = "ecp5-85k",
    shape: shared.Shapes = None,
    sandbox: shared.Sandbox = None,
    grant: shared.GrantTexts = None,
    json: shared.Json = False,
    debug: shared.Debug = False,
) -> Outcome:
    """Say which kernel takes each node of MODEL.

    Or, for a node that none takes, which constraint of the closest kernel failed.
    """
    shapes = shared.parse_shapes(shape)

    from brainsmith.cli.progress import watch
    from brainsmith.compiler import Compiler
    from brainsmith.plugins.grants import parse_grants

    grants = parse_grants(grant or ())
    with watch() as progress:
        nodes = Compiler(progress=progress).explain(
            model, strategy, target=target, shapes=shapes, sandbox=sandbox, grants=grants
        )
    value = {"success": True, "model": model.name, "nodes": [asdict(node) for node in nodes]}
    return Outcome(value, lambda console: _show(nodes, console))


def _show(nodes: Sequence[NodeExplanation], console: Console) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("node", "type", "kernel", "why"):
        table.add_column(name, overflow="fold")
    for node in nodes:
        kernel = Text(node.kernel, "green") if node.kernel else Text("on the host", "yellow")
        why = node.reason or (f"operation {node.operation}" if node.operation else "")
        if node.closest:
            why += f"\nclosest: {node.closest}"
        table.add_row(Text(node.node), Text(node.op_type), kernel, Text(why))
    console.print(table)
    console.print(_count(nodes))


def _count(nodes: Sequence[NodeExplanation]) -> str:
    """How many of the model's layers are in hardware, and what else the host does."""
    from brainsmith.report.records import HOST_ROLES

    layers = [node for node in nodes if node.role == "layer"]
    hardware = sum(node.kernel is not None for node in layers)
    part = "all" if hardware == len(layers) else f"{hardware} of"
    noun = "layer" if len(layers) == 1 else "layers"
    said = f"{part} {len(layers)} {noun} in hardware"
    roles = {node.role for node in nodes}
    pieces = [words for role, words in HOST_ROLES.items() if role in roles]
    return f"{said}; on the host: {', '.join(pieces)}" if pieces else said
