"""Ranges of the values of a float model on calibration data, by ONNX Runtime's calibrators.

The model runs frame by frame, and what its frames leave is a histogram a value, so memory does
not grow with the data. A first run finds the least and greatest values; the methods that need
histograms look at them in a second run, over that range. `onnxruntime.quantization` collects the
histograms and chooses the ranges.
"""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np

from brainsmith.api import Executor, Model

Method = Literal["minmax", "entropy", "percentile", "distribution"]
METHODS = get_args(Method)
Range = tuple[float, float]
Frames = Mapping[str, np.ndarray]

_PERCENTILE = 99.999
_FINE_BINS = 2048
# Bins of a histogram for each code, from which the entropy of the codes is told.
_BINS_PER_CODE = 8


def ranges_of(
    model: Model,
    names: Sequence[str],
    frames: Frames,
    method: Method,
    bits: int,
    *,
    symmetric: bool,
    advance: Callable[[], None],
) -> dict[str, Range]:
    """Least and greatest number that each value should have a code for.

    Args:
        model: the float model.
        names: of the values.
        frames: `(n, *shape)` for each input of the model, by name.
        method: "minmax": all that occur; "percentile": but for the outermost 0.001 %; "entropy":
            those with which the distribution of the codes tells most of that of the values;
            "distribution": the mean and as many standard deviations around it as have the least
            square error for a Laplace distribution.
        bits: of a code.
        symmetric: whether the ranges will be around 0.
        advance: called after each frame of each run; see `runs`.
    """
    found = _extremes(_values(model, names, frames, advance))
    if method == "minmax":
        return found
    live = {name: ends for name, ends in found.items() if ends != (0.0, 0.0)}
    chosen = _by_histograms(
        _values(model, list(live), frames, advance), live, method, bits, symmetric
    )
    return {**found, **{name: _inside(chosen[name], found[name]) for name in live}}


def runs(method: Method) -> int:
    """How often each frame is run."""
    return 1 if method == "minmax" else 2


def _values(
    model: Model, names: Sequence[str], frames: Frames, advance: Callable[[], None]
) -> Iterator[dict[str, np.ndarray]]:
    """The values of each frame."""
    inputs = {value.name or "" for value in model.graph.inputs}
    executor = Executor(model, keep=[name for name in names if name not in inputs])
    for index in range(len(next(iter(frames.values())))):
        feeds = {name: np.asarray(array[index], np.float32) for name, array in frames.items()}
        seen = {**feeds, **executor.run(feeds)}
        yield {name: seen[name] for name in names}
        advance()


def _extremes(values: Iterator[dict[str, np.ndarray]]) -> dict[str, Range]:
    found: dict[str, Range] = {}
    for seen in values:
        for name, array in seen.items():
            lo, hi = found.get(name, (math.inf, -math.inf))
            found[name] = min(lo, float(array.min())), max(hi, float(array.max()))
    return found


def _inside(chosen: Range, whole: Range) -> Range:
    """A chosen range, no wider than what occurs; without a sign where nothing negative occurs."""
    lo, hi = max(chosen[0], whole[0]), min(chosen[1], whole[1])
    return min(lo, hi), hi


def _by_histograms(
    values: Iterator[dict[str, np.ndarray]],
    ends: Mapping[str, Range],
    method: Method,
    bits: int,
    symmetric: bool,
) -> dict[str, Range]:
    """What ONNX Runtime's collectors choose.

    Zeros are left out, since they have a code in any range. Behind a Relu, where they are many,
    they would decide alone.
    """
    # Codes without a sign take one half of a histogram, which always lies around 0.
    levels = {name: 2 ** (bits + (lo >= 0)) for name, (lo, _) in ends.items()}
    collectors = {n: _collector(method, n, symmetric) for n in sorted(set(levels.values()))}
    with contextlib.redirect_stdout(io.StringIO()):  # they print
        # Histograms of a narrow range would grow without end where a wide one follows.
        _collect(collectors, levels, {name: np.array(e, np.float32) for name, e in ends.items()})
        for seen in values:
            _collect(collectors, levels, seen)
        results = {
            name: result
            for collector in collectors.values()
            for name, result in collector.compute_collection_result().items()
        }
    if method == "distribution":
        return {name: _around_mean(result, bits) for name, result in results.items()}
    return {name: (float(result[0]), float(result[1])) for name, result in results.items()}


def _collect(
    collectors: Mapping[int, Any], levels: Mapping[str, int], seen: Mapping[str, np.ndarray]
) -> None:
    for count, collector in collectors.items():
        collector.collect(
            {name: a[a != 0] for name, a in seen.items() if levels[name] == count and a.any()}
        )


def _collector(method: Method, levels: int, symmetric: bool) -> Any:
    from onnxruntime.quantization.calibrate import HistogramCollector

    bins = min(_BINS_PER_CODE * levels, _FINE_BINS) if method == "entropy" else _FINE_BINS
    return HistogramCollector(
        method=method,
        symmetric=symmetric,
        num_bins=bins,
        num_quantized_bins=levels,
        percentile=_PERCENTILE,
        scenario="same",
    )


def _around_mean(result: Any, bits: int) -> Range:
    """The range with the least square error for a Laplace distribution.

    Of the deviation b = std / sqrt(2) it is mean +- a * b with exp(-a) = a / (3 * 4^bits)
    (Banner, Nahshan, Soudry, Post training 4-bit quantization of convolutional networks, 2019,
    section 3).
    """
    a = 1.0
    for _ in range(64):
        a = math.log(3 * 4**bits / a)
    reach = a * float(result.std) / math.sqrt(2)
    return float(result.avg) - reach, float(result.avg) + reach
