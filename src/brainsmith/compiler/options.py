"""What a compile is asked besides the model and the strategy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from brainsmith.compiler.quantization import parse_widths
from brainsmith.errors import ConfigurationError
from brainsmith.plugins.grants import Grant
from brainsmith.sandbox.levels import Level

FIFO_DEPTHS = ("model", "exact")


@dataclass(frozen=True)
class CompileOptions:
    """Options of one compile.

    Options that contradict each other, or that would be without effect, are a ConfigurationError.

    Attributes:
        target: name of the target.
        clock_mhz: the clock to ask for; the target's default if None.
        target_fps: frames per second to reach; the strategy's objective if None.
        folding: a folding file that overrides what the compiler would choose.
        fifo: where FIFO depths come from: "model", the stream model, or "exact", which shrinks
            them by simulation as far as the pace allows.
        output: the folder to write; `build/<model>` if None.
        place: whether to place and route; if None, where an open tool does so for the target.
        synthesize: whether to synthesise; without it resources are estimated.
        verify: whether to simulate and compare.
        verify_netlist: whether to run one frame on the synthesised netlist too; if None, where
            the design is placed (building that simulation takes about as long as placing).
        verify_input: inputs (.npy, or .npz by input name) instead of generated ones.
        verify_output: what the model is expected to give for them (.npy or .npz).
        shapes: shapes of inputs that the model leaves open, by input name.
        quantize: how many bits a float model is quantized to first: "8", or "w4a8" for weights of
            4 and activations of 8 bits; not at all if None.
        calibrate: typical inputs (.npy, or .npz by input name), from which ranges are told.
        calibration_method: how; that of the transform `QuantizeModel` if None.
        seed: for generated inputs and random stalls.
        sandbox: the level at which plugins are confined, such as "L4"; as the project requires,
            at least L3, if None.
        grants: what plugins may have beyond the sandbox's defaults, by their names.
    """

    target: str = "ecp5-85k"
    clock_mhz: float | None = None
    target_fps: float | None = None
    folding: Path | None = None
    fifo: str = "model"
    output: Path | None = None
    place: bool | None = None
    synthesize: bool = True
    verify: bool = True
    verify_netlist: bool | None = None
    verify_input: Path | None = None
    verify_output: Path | None = None
    shapes: Mapping[str, Sequence[int]] = field(default_factory=dict)
    quantize: str | None = None
    calibrate: Path | None = None
    calibration_method: str | None = None
    seed: int = 0
    sandbox: Level | str | None = None
    grants: Mapping[str, Grant] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("clock_mhz", "target_fps"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise _wrong(name, f"must be more than 0, not {value:g}")
        if self.seed < 0:
            raise ConfigurationError(f"seed must not be less than 0, not {self.seed}", where="seed")
        if self.fifo not in FIFO_DEPTHS:
            raise _wrong("fifo", f"is '{self.fifo}'", f"one of {', '.join(FIFO_DEPTHS)}")
        if isinstance(self.sandbox, str):
            Level.parse(self.sandbox, where="--sandbox")
        self._check_quantization()
        self._check_verification()
        if self.place and not self.synthesize:
            raise _wrong("place", "needs synthesis", "leave out --no-synthesize (synthesize=False)")

    def _check_quantization(self) -> None:
        if self.quantize is not None:
            parse_widths(self.quantize)
            if self.calibrate is None:
                raise _wrong(
                    "quantize",
                    "needs typical inputs",
                    "give --calibrate FRAMES.npy (calibrate) too",
                )
            return
        for name in ("calibrate", "calibration_method"):
            if getattr(self, name) is not None:
                raise _wrong(
                    name,
                    "is for the quantization of a float model",
                    "give --quantize 8 (quantize) too",
                )

    def _check_verification(self) -> None:
        without = "leave out --no-verify (verify=False)"
        if self.verify_output is not None and self.verify_input is None:
            raise _wrong(
                "verify_output",
                "needs the inputs that it belongs to",
                "give --verify-input (verify_input) too",
            )
        if self.verify_input is not None and not self.verify:
            raise _wrong("verify_input", "needs verification", without)
        if self.verify_netlist and not self.verify:
            raise _wrong("verify_netlist", "needs verification", without)
        if self.verify_netlist and not self.synthesize:
            raise _wrong(
                "verify_netlist", "needs synthesis", "leave out --no-synthesize (synthesize=False)"
            )


def _wrong(field: str, why: str, hint: str | None = None) -> ConfigurationError:
    """The error of one option, under its names in Python and on the command line."""
    option = "--" + field.replace("_", "-")
    return ConfigurationError(f"{field} {why}", where=option, hint=hint)
