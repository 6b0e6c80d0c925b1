"""What a compile is asked besides the model and the strategy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from brainsmith.compiler.quantization import parse_widths
from brainsmith.errors import ConfigurationError, nearest
from brainsmith.plugins.grants import Grant
from brainsmith.sandbox.levels import Level

FIFO_DEPTHS = ("model", "exact")

Extent = Literal["whole", "layers", "none"]
"""What is simulated and compared: the whole design and its layers, each layer alone, or nothing."""
EXTENTS: tuple[Extent, ...] = get_args(Extent)


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
        fit: whether to look for the fastest folding that fits the target, whatever the strategy's
            objective and budget; where there is synthesis, it decides what fits.
        verify: what to simulate and compare: "whole", the design; "layers", each layer alone, for
            networks whose simulation would take too long; "none". True and False are the first
            and the last of these.
        verify_netlist: whether to run one frame on the synthesised netlist too; if None, where
            the design is placed and verified as a whole (building that simulation takes about as
            long as placing).
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
    fit: bool = False
    verify: Extent | bool = "whole"
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
        if self.fit and self.target_fps is not None:
            raise _wrong(
                "fit", "looks for the fastest design", "leave out --target-fps (target_fps)"
            )
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

    @property
    def extent(self) -> Extent:
        """What is verified."""
        if isinstance(self.verify, bool):
            return "whole" if self.verify else "none"
        return self.verify

    def _check_verification(self) -> None:
        without = "leave out --no-verify (verify=False)"
        if self.extent not in EXTENTS:
            hint = nearest(str(self.verify), EXTENTS)
            raise _wrong(
                "verify", f"must be one of {', '.join(EXTENTS)}, not {self.verify!r}", hint
            )
        if self.verify_output is not None and self.verify_input is None:
            raise _wrong(
                "verify_output",
                "needs the inputs that it belongs to",
                "give --verify-input (verify_input) too",
            )
        if self.verify_input is not None and self.extent == "none":
            raise _wrong("verify_input", "needs verification", without)
        if self.verify_netlist and self.extent == "none":
            raise _wrong("verify_netlist", "needs verification", without)
        if self.verify_netlist and not self.synthesize:
            raise _wrong(
                "verify_netlist", "needs synthesis", "leave out --no-synthesize (synthesize=False)"
            )


def _wrong(field: str, why: str, hint: str | None = None) -> ConfigurationError:
    """The error of one option, under its names in Python and on the command line."""
    option = "--" + field.replace("_", "-")
    return ConfigurationError(f"{field} {why}", where=option, hint=hint)
