"""The option `quantize`: the built-in post-training quantization in front of a strategy."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from brainsmith.compiler.strategy import ParamValue, ResolvedStrategy, TransformSpec
from brainsmith.errors import ConfigurationError

TRANSFORM = "QuantizeModel"
_NAMES = (TRANSFORM, f"brainsmith:{TRANSFORM}")
_WIDTHS = re.compile(r"w(?P<weights>[2-8])a(?P<activations>[2-8])|(?P<both>[2-8])")


def parse_widths(text: str) -> tuple[int, int]:
    """Bits of weights and of activations from "8", or from "w4a8".

    Raises:
        ConfigurationError: it is neither.
    """
    found = _WIDTHS.fullmatch(text)
    if found is None:
        raise ConfigurationError(
            f"quantize={text!r} names no widths",
            where="--quantize",
            hint="2 to 8 bits, such as 8, or w4a8 for weights of 4 and activations of 8 bits",
        )
    weights, activations = found["weights"] or found["both"], found["activations"] or found["both"]
    return int(weights), int(activations)


def quantizing_first(
    strategy: ResolvedStrategy, widths: str, calibrate: Path | None, method: str | None
) -> ResolvedStrategy:
    """The strategy with the quantization before its other transforms.

    What the strategy itself says of the quantization stays, as far as no option says otherwise.

    Args:
        strategy: the strategy.
        widths: see `parse_widths`.
        calibrate: the calibration data.
        method: how ranges follow from it; the transform's own if None.
    """
    weight_bits, activation_bits = parse_widths(widths)
    params: dict[str, ParamValue] = {}
    for spec in strategy.transforms:
        if spec.name in _NAMES:
            params.update(spec.params)
    params |= {
        "weight_bits": weight_bits,
        "activation_bits": activation_bits,
        "calibration": str(calibrate),
    }
    if method is not None:
        params["method"] = method
    others = [spec for spec in strategy.transforms if spec.name not in _NAMES]
    return replace(strategy, transforms=(TransformSpec(TRANSFORM, params), *others))
