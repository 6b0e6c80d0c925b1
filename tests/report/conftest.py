"""Reports as builds fill them: the published TFC-w1a1 network, and designs of any size."""

from __future__ import annotations

from itertools import pairwise

import pytest

from brainsmith.report.records import (
    AgreementRecord,
    BuildReport,
    CheckRecord,
    Diagnostic,
    HostRecord,
    LayerRecord,
    Metric,
    PluginCallsRecord,
    SandboxRecord,
    StepRecord,
    StreamRecord,
    ToolRecord,
    UtilisationRecord,
    VerificationRecord,
)

# (operation, kernel, PE, SIMD, dimensions, bits in, cycles, LUT, FF, BRAM): 64 cycles per frame.
TFC_LAYERS = [
    ("thresholding", "Thresholding", 16, None, (1, 784, 784), 8, 49, 212, 160, 0),
    ("matmul", "MatMul", 16, 49, (1, 784, 64), 1, 64, 1904, 1310, 11),
    ("thresholding", "Thresholding", 1, None, (1, 64, 64), 11, 64, 31, 28, 1),
    ("matmul", "MatMul", 8, 8, (1, 64, 64), 1, 64, 240, 228, 1),
    ("thresholding", "Thresholding", 1, None, (1, 64, 64), 7, 64, 24, 22, 1),
    ("matmul", "MatMul", 8, 8, (1, 64, 64), 1, 64, 240, 228, 1),
    ("thresholding", "Thresholding", 1, None, (1, 64, 64), 7, 64, 24, 22, 1),
    ("matmul", "MatMul", 10, 8, (1, 64, 10), 1, 8, 214, 196, 1),
    ("label_select", "LabelSelect", 1, None, (1, 10, 1), 7, 10, 38, 41, 0),
]


def tfc_layers() -> tuple[LayerRecord, ...]:
    layers = []
    for index, (operation, kernel, pe, simd, dims, bits, cycles, lut, ff, bram) in enumerate(
        TFC_LAYERS
    ):
        frames, inner, outer = dims
        layers.append(
            LayerRecord(
                node=f"{kernel}_{index}",
                operation=operation,
                kernel=kernel,
                backend="rtl",
                folding={"PE": pe} if simd is None else {"PE": pe, "SIMD": simd},
                cycles=cycles,
                cycles_source="measured",
                resources={"LUT": lut, "FF": ff, "DSP": 0, "BRAM": bram},
                resources_source="measured",
                latency=12,
                inputs=(f"x[{frames},{inner}] UINT{bits}",),
                outputs=(f"y[{frames},{outer}] UINT{bits}",),
                params={"ram_style": "auto"},
            )
        )
    return tuple(layers)


def chain_streams(layers: tuple[LayerRecord, ...]) -> tuple[StreamRecord, ...]:
    names = ["input", *(layer.node for layer in layers), "output"]
    return tuple(
        StreamRecord(source, sink, elements=8, bits=1 + index % 4, fifo_depth=4 * (index % 3),
                     converter=index % 2 == 1)
        for index, (source, sink) in enumerate(pairwise(names))
    )  # fmt: skip


def metrics(fmax: float | None = 131.6) -> dict[str, Metric]:
    return {
        "initiation_interval": Metric(64, "cycles", "measured"),
        "latency_cycles": Metric(402, "cycles", "measured"),
        "throughput_fps": Metric(1_562_500.0, "1/s", "measured" if fmax else "estimated"),
        "fmax_mhz": Metric(
            fmax, "MHz", "measured", None if fmax else "nothing was placed (--no-place)"
        ),
        "LUT": Metric(2927, "LUT", "measured"),
        "FF": Metric(2235, "FF", "measured"),
        "DSP": Metric(0, "DSP", "measured"),
        "BRAM": Metric(16, "BRAM", "measured"),
    }


@pytest.fixture
def sandbox() -> SandboxRecord:
    """Two plugins, confined at less than is usual; one of them was refused something."""
    return SandboxRecord(
        level="L1",
        meaning="a process of its own",
        required="L3",
        lowered=True,
        plugins=(
            PluginCallsRecord("calm", 1, 0.0042, 0.004, 105 << 20),
            PluginCallsRecord(
                "lens", 1200, 3.2, 2.9, 3 << 29,
                refused=("openat(/etc/<passwd>)",),
                skipped=("Fold: it used up its limit of 60 s",),
            ),
        ),
    )  # fmt: skip


@pytest.fixture
def tfc() -> BuildReport:
    """A verified and placed build of TFC-w1a1, with a host node, notes and cached steps."""
    layers = tfc_layers()
    return BuildReport(
        success=True,
        model="tfc-w1a1.onnx",
        target="ecp5-85k",
        strategy="balanced",
        clock_mhz=100.0,
        target_fps=1_500_000.0,
        verification=VerificationRecord(
            bit_exact=True,
            vectors=256,
            mismatches=0,
            agreement=AgreementRecord(share=1.0, largest_difference=0.0),
            scope="network",
            checks=(
                CheckRecord("network, no stalls", True, "256 frames"),
                CheckRecord("network, random stalls", True, "256 frames, seed 1"),
                CheckRecord("layers alone, extremes of the accumulators", True, "9 layers"),
                CheckRecord("synthesized netlist", True, "1 frame"),
            ),
            faithful={"layers": 4, "codes": 256_000, "ambiguous": 572},
        ),
        metrics=metrics(),
        layers=layers,
        streams=chain_streams(layers),
        host_nodes=(
            HostRecord("Mul_input_scale", "its input is not an integer", "Mul: supported_dtypes"),
        ),
        utilisation=(
            UtilisationRecord("LUT", 2927, 83_640),
            UtilisationRecord("FF", 2235, 83_640),
            UtilisationRecord("BRAM", 16, 208),
            UtilisationRecord("DSP", 0, 156),
        ),
        steps=(
            StepRecord("load", 0.08),
            StepRecord("streamline", 0.31),
            StepRecord("simulate", 6.4),
            StepRecord("synthesize", 21.7, cached=True),
            StepRecord("place and route", 43.0),
        ),
        tools=(ToolRecord("verilator", "5.48"), ToolRecord("yosys", "0.70")),
        diagnostics=(
            Diagnostic("info", "the first layer's weights are in block RAM", "MatMul_1"),
            Diagnostic("warning", "the input has no integer datatype", None, "--shape"),
        ),
        artifacts={"report": "out/report.html", "rtl": "out/rtl/top.sv"},
    )
