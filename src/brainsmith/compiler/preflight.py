"""What a compile needs is looked for before anything is built: a missing tool costs no minutes."""

from __future__ import annotations

from brainsmith.compiler.options import CompileOptions
from brainsmith.compiler.targets import Target
from brainsmith.errors import ConfigurationError


def placing(options: CompileOptions, target: Target) -> bool:
    """Whether the design is placed and routed."""
    return options.synthesize and (target.placeable if options.place is None else options.place)


def check_tools(options: CompileOptions, target: Target) -> None:
    """Looks for every tool that the options ask for.

    Raises:
        ConfigurationError: placement is asked for, and no open tool places for this target.
        ToolError: a tool is missing.
    """
    from brainsmith.toolchains import tools

    if options.place and not target.placeable:
        raise ConfigurationError(
            f"no open tool places for {target.name}", hint="--no-place, or an ecp5 or ice40 target"
        )
    if options.extent != "none":
        tools.verilator()
        tools.compiler()
    if options.synthesize:
        tools.yosys()
    if placing(options, target):
        tools.nextpnr(target.family)
