"""What a build reports: plain frozen records, filled by the compiler, drawn and written here.

Cycles are clock cycles, resources are counts of the device's own units (LUT, FF, DSP, BRAM), bits
are per element, times are seconds, clocks are MHz.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Source = Literal["measured", "estimated"]
Scope = Literal["network", "layers", "slices", "none"]
Severity = Literal["info", "warning", "error"]
PictureRole = Literal["input", "output", "difference"]
HostRole = Literal["layer", "input", "output", "between"]

HOST_ROLES: Mapping[HostRole, str] = {
    "input": "quantizing the input",
    "between": "converting between integers and real numbers",
    "output": "scaling the output",
}

INPUT = "input"
OUTPUT = "output"


def cycles_for(fps: float, clock_mhz: float) -> int:
    """Whole cycles between frames that `fps` frames a second leave."""
    return math.floor(clock_mhz * 1e6 / fps * (1 + 1e-9))  # a quotient may round to below a whole


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure and how it was obtained; `value` is None where `reason` says why."""

    value: float | int | None
    unit: str
    source: Source
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class LayerRecord:
    """One kernel instance of the design.

    Args:
        node: its name in the design, unique.
        folding: parallelism by parameter, for example {"PE": 8, "SIMD": 16}.
        cycles: cycles between two frames (its initiation interval).
        resources: used units by resource, for example {"LUT": 310, "FF": 288}.
        latency: cycles from the first input beat of a frame to its last output beat, where known.
        inputs: one line a stream input, such as "x[1,784] UINT8".
        outputs: one line a stream output.
        params: the kernel's own parameters.
        resources_reason: why the resources are a guess, where they are no better.
    """

    node: str
    operation: str
    kernel: str
    backend: str
    folding: Mapping[str, int]
    cycles: int
    cycles_source: Source
    resources: Mapping[str, float]
    resources_source: Source
    latency: int | None = None
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    params: Mapping[str, object] = field(default_factory=dict)
    resources_reason: str | None = None


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One edge of the dataflow graph.

    Args:
        source: a layer's node, a host node, or "input".
        sink: a layer's node, a host node, or "output".
        elements: elements per beat, as the sink takes them.
        bits: bits per element.
        fifo_depth: beats that the FIFO on this edge holds; 0 where there is none.
        converter: whether a data-width converter stands on this edge.
        modelled_depth: beats that the stream model found for that FIFO.
    """

    source: str
    sink: str
    elements: int
    bits: int
    fifo_depth: int = 0
    converter: bool = False
    modelled_depth: int = 0


@dataclass(frozen=True, slots=True)
class CheckRecord:
    """One check of the verification."""

    name: str
    passed: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class AgreementRecord:
    """Compiled integer model against the original model, each computing on its own.

    Args:
        share: of output elements that are the same number.
        largest_difference: of any two output elements.
        within_rounding: share of output elements that are the same number but for the rounding
            of float32 (a relative distance of 1e-5).
    """

    share: float
    largest_difference: float
    within_rounding: float | None = None


@dataclass(frozen=True, slots=True)
class VerificationRecord:
    """What the hardware computes against the reference; `bit_exact` is None with scope "none".

    Args:
        vectors: frames that were driven.
        mismatches: output elements that differ.
        faithful: figures of the comparison with the original model, by name.
    """

    bit_exact: bool | None
    vectors: int
    mismatches: int
    agreement: AgreementRecord | None
    scope: Scope
    checks: tuple[CheckRecord, ...] = ()
    faithful: Mapping[str, float | int | str | bool] | None = None


@dataclass(frozen=True, slots=True)
class HostRecord:
    """A node that no kernel takes, why, and the kernel that came closest.

    Args:
        role: "layer" for a node of the model; "input", "output" or "between" for a piece that
            leads from real numbers to integers or back, at an edge of the hardware.
    """

    node: str
    reason: str
    closest: str | None = None
    role: HostRole = "layer"


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One step of the build; `cached` where its result came from the build cache."""

    name: str
    seconds: float
    cached: bool = False


@dataclass(frozen=True, slots=True)
class ToolRecord:
    """A tool or library that had a part in the build."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class UtilisationRecord:
    """How much of one resource of the device the whole design uses."""

    resource: str
    used: float
    available: float


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """Something that the person who compiles should know."""

    severity: Severity
    message: str
    where: str | None = None
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class PluginCallsRecord:
    """The confined calls of one plugin.

    Args:
        calls: how many.
        seconds: of all calls together.
        cpu_seconds: processor time of all calls together.
        peak_memory: bytes that the largest of its calls had, with what every worker has.
        refused: acts that the sandbox refused, such as "openat(/etc/passwd)", each once.
        skipped: its transforms that failed and were left out, with the reason.
    """

    plugin: str
    calls: int
    seconds: float
    cpu_seconds: float
    peak_memory: int
    refused: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SandboxRecord:
    """How plugins were confined, and what they did.

    Args:
        level: the level that they were called at, such as "L3".
        meaning: what it enforces, in a few words.
        required: the level that would have been needed if the user had named none.
        lowered: whether the user named a lower one.
        plugins: by name; empty where the level was lowered and none was called in a process of its
            own.
    """

    level: str
    meaning: str
    required: str
    lowered: bool = False
    plugins: tuple[PluginCallsRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class WorstElementRecord:
    """The element of a value that differs most in any frame.

    Args:
        frame: number of the frame, from 0.
        index: place in the value, its batch included.
        real: what the float model computes.
        quantized: what the quantized model computes.
        difference: of the two, absolute.
    """

    frame: int
    index: tuple[int, ...]
    real: float
    quantized: float
    difference: float


@dataclass(frozen=True, slots=True)
class LayerAccuracyRecord:
    """One layer of a quantized model beside the float model; its result is a quantized value.

    Args:
        node: what the layer is called after, a node or an input of the model.
        value: name of its result.
        datatype: of the result's codes, such as "UINT8"; FLOAT32 where no quantizer follows.
        snr_db: signal-to-noise ratio of the result in dB, errors of earlier layers included; None
            where nothing differs.
        snr_alone_db: the same of the layer alone, behind inputs without errors of earlier layers
            and before its result is rounded.
        worst: the element that differs most, errors of earlier layers included.
    """

    node: str
    value: str
    datatype: str
    snr_db: float | None
    snr_alone_db: float | None
    worst: WorstElementRecord


@dataclass(frozen=True, slots=True)
class TopOneRecord:
    """How often both models choose the same class at an output."""

    output: str
    same: int
    total: int


@dataclass(frozen=True, slots=True)
class QuantizationRecord:
    """A float model and what its quantization made of it, compared on real frames.

    Args:
        data: name of the file of frames.
        frames: how many were compared.
        available: how many the file has.
    """

    data: str
    frames: int
    available: int
    layers: tuple[LayerAccuracyRecord, ...]
    outputs: tuple[TopOneRecord, ...]

    @property
    def weakest(self) -> LayerAccuracyRecord | None:
        """The layer that loses most by itself; the first of them on a tie."""
        lossy = [layer for layer in self.layers if layer.snr_alone_db is not None]
        return min(lossy, key=lambda layer: layer.snr_alone_db or 0.0, default=None)


@dataclass(frozen=True, slots=True, eq=False)
class PictureRecord:
    """One frame of a value that is an image.

    Args:
        value: its name.
        role: an input of the model, what the hardware made an output of, or where that differs
            from the reference.
        pixels: grey levels (height, width, 1), or red, green and blue (height, width, 3).
        detail: a few words, such as the range of the values.
    """

    value: str
    role: PictureRole
    pixels: NDArray[np.uint8]
    detail: str


@dataclass(frozen=True, slots=True)
class FitTryRecord:
    """A design that was looked at for the fastest one that fits.

    Args:
        interval: estimated cycles between frames.
        estimated: resources by name, of the whole design.
        measured: the same after synthesis; None where nothing was synthesised.
        available: what the device has.
        fits: whether the measured resources are inside the device, or the estimated ones where
            nothing was synthesised.
    """

    interval: int
    estimated: Mapping[str, int]
    measured: Mapping[str, int] | None
    available: Mapping[str, int]
    fits: bool


@dataclass(frozen=True, slots=True)
class FitRecord:
    """How the fastest design that fits was found; `chosen` is the number of its try, from 0."""

    chosen: int
    tries: tuple[FitTryRecord, ...]


@dataclass(frozen=True, slots=True)
class BuildReport:
    """All that is reported of one build.

    Args:
        model: name of the model's file.
        clock_mhz: the clock that was asked for.
        metrics: by name; at least `initiation_interval`, `latency_cycles`, `throughput_fps`,
            `fmax_mhz`, `LUT`, `FF`, `DSP`, `BRAM`.
        artifacts: paths by name.
        target_fps: the throughput that was asked for, where one was.
        sandbox: how plugins were confined; None where none but the built-in one took part.
        quantization: what the quantization of a float model costs; None where none was quantized.
        fit: how the fastest design that fits was found; None where it was not asked for.
        pictures: the first frame before and after, where both are images; on the page alone.
    """

    success: bool
    model: str
    target: str
    strategy: str
    clock_mhz: float
    verification: VerificationRecord
    metrics: Mapping[str, Metric]
    layers: tuple[LayerRecord, ...] = ()
    streams: tuple[StreamRecord, ...] = ()
    host_nodes: tuple[HostRecord, ...] = ()
    utilisation: tuple[UtilisationRecord, ...] = ()
    steps: tuple[StepRecord, ...] = ()
    tools: tuple[ToolRecord, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    artifacts: Mapping[str, str] = field(default_factory=dict)
    target_fps: float | None = None
    sandbox: SandboxRecord | None = None
    quantization: QuantizationRecord | None = None
    fit: FitRecord | None = None
    pictures: tuple[PictureRecord, ...] = ()

    @property
    def target_interval(self) -> int | None:
        """Cycles between frames that `target_fps` allows at the clock that was asked for."""
        if not self.target_fps:
            return None
        return max(1, cycles_for(self.target_fps, self.clock_mhz))

    @property
    def bottleneck(self) -> LayerRecord | None:
        """The layer that needs most cycles; the first of them on a tie."""
        return max(self.layers, key=lambda layer: layer.cycles, default=None)

    @property
    def bottlenecks(self) -> frozenset[str]:
        """The nodes that need most cycles; none where all layers need the same."""
        most = max((layer.cycles for layer in self.layers), default=0)
        slowest = frozenset(layer.node for layer in self.layers if layer.cycles == most)
        return slowest if len(slowest) < max(2, len(self.layers)) else frozenset()
