"""`brainsmith compile`: from a model's file to a verified accelerator."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from brainsmith.cli import options as shared
from brainsmith.cli.outcome import Outcome


def compile_model(
    model: shared.Model,
    strategy: shared.Strategy = "balanced",
    target: shared.Target = "ecp5-85k",
    target_fps: Annotated[float | None, typer.Option(help="Frames a second to reach.")] = None,
    clock_mhz: Annotated[
        float | None, typer.Option(help="Clock to reach; the target's if not given.")
    ] = None,
    folding: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Folding per layer, instead of the chosen.")
    ] = None,
    fifo: Annotated[
        str,
        typer.Option(
            metavar="HOW", help="FIFO depths: model, or exact, which shrinks them by simulation."
        ),
    ] = "model",
    output: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the build; build/MODEL by default."),
    ] = None,
    shape: shared.Shapes = None,
    place: Annotated[
        bool | None,
        typer.Option("--place/--no-place", help="Place and route; by default where a tool can."),
    ] = None,
    synthesize: Annotated[
        bool,
        typer.Option(
            "--synthesize/--no-synthesize", help="Synthesize; without, resources are estimates."
        ),
    ] = True,
    fit: Annotated[
        bool, typer.Option("--fit", help="Find the fastest folding that fits the target.")
    ] = False,
    verify: Annotated[
        Literal["whole", "layers", "none"] | None,
        typer.Option(help="Simulate and compare the whole design (the default), each layer, none."),
    ] = None,
    no_verify: Annotated[
        bool, typer.Option("--no-verify", help="Short for --verify none.")
    ] = False,
    verify_netlist: Annotated[
        bool | None,
        typer.Option(
            "--verify-netlist/--no-verify-netlist",
            help="Run one frame on the synthesized netlist; by default where it is placed.",
        ),
    ] = None,
    verify_input: Annotated[
        Path | None, typer.Option(metavar="X.npy", help="Frames to verify with.")
    ] = None,
    verify_output: Annotated[
        Path | None, typer.Option(metavar="Y.npy", help="What the model gives for them.")
    ] = None,
    quantize: Annotated[
        str | None,
        typer.Option(
            metavar="BITS", help="Quantize a float model first: 2 to 8 bits, such as 8 or w4a8."
        ),
    ] = None,
    calibrate: Annotated[
        Path | None, typer.Option(metavar="X.npy", help="Typical frames, for the quantization.")
    ] = None,
    calibration_method: Annotated[
        str | None,
        typer.Option(metavar="METHOD", help="minmax, entropy, percentile or distribution."),
    ] = None,
    sandbox: shared.Sandbox = None,
    grant: shared.GrantTexts = None,
    plugin_output: Annotated[
        bool,
        typer.Option("--plugin-output", help="Show what plugins printed; build.log always has it."),
    ] = False,
    json: shared.Json = False,
    debug: shared.Debug = False,
) -> Outcome:
    """Compile MODEL to a verified, placed design.

    Everything that was measured is in the folder of the build: report.html, report.json, the RTL.
    """
    shapes = shared.parse_shapes(shape)

    from brainsmith.cli.plugin_output import shown
    from brainsmith.cli.progress import watch
    from brainsmith.compiler import CompileOptions, Compiler
    from brainsmith.errors import ConfigurationError, VerificationError
    from brainsmith.plugins.grants import parse_grants
    from brainsmith.report.console import print_summary
    from brainsmith.report.json_report import to_json

    if no_verify and verify not in (None, "none"):
        raise ConfigurationError(f"no_verify contradicts --verify {verify}", where="--no-verify")
    options = CompileOptions(
        target=target,
        clock_mhz=clock_mhz,
        target_fps=target_fps,
        folding=folding,
        fifo=fifo,
        output=output,
        place=place,
        synthesize=synthesize,
        fit=fit,
        verify=verify or ("none" if no_verify else "whole"),
        verify_netlist=verify_netlist,
        verify_input=verify_input,
        verify_output=verify_output,
        shapes=shapes,
        quantize=quantize,
        calibrate=calibrate,
        calibration_method=calibration_method,
        sandbox=sandbox,
        grants=parse_grants(grant or ()),
    )
    with shown(plugin_output) as ledger, watch() as progress:
        result = Compiler(progress=progress, ledger=ledger).compile(model, strategy, options)
    return Outcome(
        to_json(result.report),
        lambda console: print_summary(result.report, console),
        0 if result.success else VerificationError.exit_code,
    )
