"""`brainsmith test-plugin`: a plugin beside what is built in, on the nodes of a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brainsmith.cli import options as shared
from brainsmith.cli.outcome import Outcome

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from brainsmith.comparison.records import Comparison, KernelComparison


def test_plugin(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A plugin, or its folder.")],
    model: Annotated[Path, typer.Option(metavar="MODEL", help="An ONNX or QONNX file.")],
    against: Annotated[
        str | None,
        typer.Option(metavar="KERNEL", help="Compare with it; with the built-in if not given."),
    ] = None,
    target: shared.Target = "ecp5-85k",
    strategy: shared.Strategy = "balanced",
    place: Annotated[
        bool, typer.Option("--place", help="Place and route each kernel alone, for its clock.")
    ] = False,
    folding: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Folding per layer, instead of the chosen.")
    ] = None,
    config: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE", help="A parameter of the plugin's components. Repeatable."
        ),
    ] = None,
    stage: Annotated[
        str | None, typer.Option(help="The stage of the plugin's transforms, if not their own.")
    ] = None,
    verify_input: Annotated[
        Path | None, typer.Option(metavar="X.npy", help="Real frames, besides generated ones.")
    ] = None,
    shape: shared.Shapes = None,
    sandbox: shared.Sandbox = None,
    grant: shared.GrantTexts = None,
    json: shared.Json = False,
    debug: shared.Debug = False,
) -> Outcome:
    """Compare a plugin with what is built in.

    Each kernel is simulated against the operation's reference and synthesized, both at the same
    folding. Transforms are applied, and outputs before and after compared.
    """
    shapes = shared.parse_shapes(shape)
    params = shared.parse_params(config)

    from brainsmith.cli.progress import watch
    from brainsmith.comparison import ComparisonOptions, compare
    from brainsmith.comparison.summary import as_json
    from brainsmith.plugins.grants import parse_grants

    options = ComparisonOptions(
        against=against,
        target=target,
        strategy=strategy,
        place=place,
        folding=folding,
        params=params,
        stage=stage,
        verify_input=verify_input,
        shapes=shapes,
        sandbox=sandbox,
        grants=parse_grants(grant or ()),
    )
    with watch() as progress:
        found = compare(name, model, options, progress=progress)
    return Outcome(as_json(found), lambda console: _show(found, console), found.exit_code)


def _show(found: Comparison, console: Console) -> None:
    from rich.text import Text

    from brainsmith.comparison.summary import lines

    styles = {"✓": "green", "✗": "bold red", "·": "yellow"}
    title = f" {found.version} on {found.model}, {found.target}, strategy {found.strategy}"
    console.print(Text.assemble((found.plugin, "bold"), title, (f"  {found.path}", "dim")))
    for kernel in found.kernels:
        if kernel.compared:
            console.print(_table(kernel))
        for refused in kernel.refused:
            console.print(
                Text.assemble(
                    ("not taken  ", "yellow"), (refused.node, "bold"), "  ", refused.reason
                )
            )
    for line in lines(found):
        console.print(Text.assemble((f"{line.mark} ", styles[line.mark]), line.text))
    for problem in found.problems:
        text = Text.assemble(("✗ ", "bold red"), problem.what)
        text.append(f"\n    where: {problem.where}" if problem.where else "")
        text.append(f"\n    hint: {problem.hint}" if problem.hint else "")
        console.print(text, soft_wrap=True)
    for note in found.notes:
        console.print(Text.assemble(("note  ", "blue"), note))


def _table(kernel: KernelComparison) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from brainsmith.comparison.table import columns, rows

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for index, name in enumerate(columns(kernel)):
        justify: object = "left" if index < 3 else "right"
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for row in rows(kernel):
        table.add_row(*map(Text, row))
    return table
