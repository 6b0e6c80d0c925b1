"""What a compile is asked besides the model and the strategy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class CompileOptions:
    """Options of one compile.

    Attributes:
        target: name of the target.
        clock_mhz: the clock to ask for; the target's default if None.
        target_fps: frames per second to reach; the strategy's objective if None.
        folding: a folding file that overrides what the compiler would choose.
        output: the folder to write; `build/<model>` if None.
        place: whether to place and route; if None, where an open tool does so for the target.
        synthesize: whether to synthesise; without it resources are estimated.
        verify: whether to simulate and compare.
        verify_netlist: whether to run one frame on the synthesised netlist too; if None, where
            the design is placed (building that simulation takes about as long as placing).
        verify_input: inputs (.npy, or .npz by input name) instead of generated ones.
        verify_output: what the model is expected to give for them (.npy or .npz).
        shapes: shapes of inputs that the model leaves open, by input name.
        seed: for generated inputs and random stalls.
    """

    target: str = "ecp5-85k"
    clock_mhz: float | None = None
    target_fps: float | None = None
    folding: Path | None = None
    output: Path | None = None
    place: bool | None = None
    synthesize: bool = True
    verify: bool = True
    verify_netlist: bool | None = None
    verify_input: Path | None = None
    verify_output: Path | None = None
    shapes: Mapping[str, Sequence[int]] = field(default_factory=dict)
    seed: int = 0
