"""Line buffers: as deep as they have to be and no deeper, and exact to the cycle in hardware."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brainsmith.builtin.kernels.line_buffer.walk import Walk, walk
from brainsmith.compiler import CompilationStrategy, CompileOptions, Compiler
from brainsmith.testing import KernelCase, check_kernel
from tests.builtin.cases import assert_exact
from tests.compiler.frames import first_frames
from tests.compiler.integer_models import QONNX, Builder

FRAMES = 8


@st.composite
def windows(draw):
    """Walks of sliding windows of any size, stride and dilation."""
    small, size = st.integers(1, 3), st.integers(1, 6)
    out, taps, strides, dilations = (
        [draw(each), draw(each)] for each in (size, small, small, small)
    )
    spare = [draw(st.integers(0, stride - 1)) for stride in strides]
    height, width = (
        (out[i] - 1) * strides[i] + (taps[i] - 1) * dilations[i] + 1 + spare[i] for i in (0, 1)
    )
    pixel = draw(small)
    row = width * pixel
    loops = (
        (out[0], strides[0] * row), (out[1], strides[1] * pixel),
        (taps[0], dilations[0] * row), (taps[1], dilations[1] * pixel), (pixel, 1),
    )  # fmt: skip
    return walk(loops, height * row)


def _intervals(walk: Walk, depth: int, arrivals: np.ndarray) -> np.ndarray:
    """Cycles between frames."""
    timing = first_frames(walk.schedule(depth), arrivals, FRAMES)
    return np.diff(timing.given["y"].array()[walk.iterations - 1 :: walk.iterations])


@given(windows())
def test_the_walk_reads_what_it_says(walk):
    """`need` beats from the first of its window on, of beats of its frame."""
    index = np.indices(walk.trips).reshape(len(walk.trips), -1)
    beats = walk.strides @ index
    window = walk.starts()[:-1].repeat(walk.inner)
    assert beats.max() < walk.frame
    assert ((beats >= window) & (beats < window + walk.need)).all()


@given(windows())
@settings(max_examples=200)
def test_no_frame_waits_for_another(walk):
    interval = max(walk.iterations, walk.frame)
    early = np.zeros(walk.frame * FRAMES, np.int64)
    assert (_intervals(walk, walk.depth, early) == interval).all()
    evenly = np.arange(walk.frame * FRAMES) * interval // walk.frame
    assert (_intervals(walk, walk.depth, evenly)[2:] == interval).all()


def test_a_buffer_of_a_beat_less_makes_frames_wait():
    """3 x 3 windows of 34 x 34 pixels of 8 beats: 2 (K - 1) rows and 2 K pixels."""
    pixel, row = 8, 34 * 8
    buffer = walk([(32, row), (32, pixel), (3, row), (3, pixel), (pixel, 1)], 34 * row)
    assert buffer.depth == 4 * row + 6 * pixel
    early = np.zeros(buffer.frame * FRAMES, np.int64)
    assert (_intervals(buffer, buffer.depth - 1, early) > buffer.iterations).all()


def test_neighbouring_inner_loops_are_one():
    buffer = walk([(6, 32), (6, 4), (3, 32), (3, 4), (4, 1)], 256)
    assert (buffer.trips, buffer.strides) == ((6, 6, 1, 3, 12), (32, 4, 0, 32, 1))


def _window(outputs, kernel, stride=(1, 1), size=None, channels=4, simd=2, style="auto",
            family="ecp5", dtypes=("UINT4", "UINT4"), ranges=()):  # fmt: skip
    height, width = size or ((outputs[i] - 1) * stride[i] + kernel[i] for i in (0, 1))
    return KernelCase(
        dims={"H": height, "W": width, "OH": outputs[0], "OW": outputs[1],
              "KH": kernel[0], "KW": kernel[1], "C": channels},
        dtypes=dict(zip("xy", dtypes, strict=True)),
        folding={"SIMD": simd},
        attributes={"stride_h": stride[0], "stride_w": stride[1], "dilation_h": 1, "dilation_w": 1},
        params={"ram_style": style},
        ranges=dict(ranges),
        family=family,
    )  # fmt: skip


@pytest.mark.slow
def test_windows_of_every_kind():
    check_kernel("SlidingWindow", count=40)


@pytest.mark.slow
def test_windows_of_real_layers_in_each_memory():
    cases = [
        _window((12, 12), (3, 3)),
        _window((8, 8), (3, 3), (2, 2), (18, 18), style="block", family="xc7"),
        _window((12, 12), (5, 5), channels=1, simd=1, dtypes=("UINT8", "UINT8")),
        _window((14, 14), (2, 2), (2, 2), style="distributed"),
        _window((7, 7), (1, 1), (2, 2), (14, 14), channels=16, simd=4),
        _window((1, 60), (1, 3), channels=8, simd=8, family="ice40"),
        _window((6, 6), (3, 3), family="ice40", style="distributed"),
    ]
    assert_exact("SlidingWindow", cases)


@pytest.mark.slow
def test_the_datatype_of_windows_may_be_another_one():
    kinds = [("BIPOLAR", "BIPOLAR"), ("BIPOLAR", "INT2"), ("INT3", "INT5"), ("UINT3", "INT5")]
    cases = [_window((3, 4), (2, 2), dtypes=dtypes) for dtypes in kinds]
    cases.append(_window((3, 4), (2, 2), dtypes=("INT5", "INT3"), ranges={"x": (-4, 3)}))
    cases += [
        _window((2, 2), (2, 1), dtypes=("INT2", "BIPOLAR"), ranges={"x": (value, value)})
        for value in (-1, 1)
    ]
    assert_exact("SlidingWindow", cases)


@pytest.mark.slow
@pytest.mark.parametrize("kernel", ["Upsample", "DepthToSpace", "Transpose"])
def test_other_orders(kernel):
    check_kernel(kernel, count=24)


@pytest.mark.slow
def test_a_chain_of_them_is_exact_and_waits_for_nothing(tmp_path):
    """Channels to blocks, enlarged, windows, a layer: the pace is that of the windows."""
    net = Builder([1, 4, 4, 8], "UINT4")
    net.add("Transpose", ["x"], "first", [1, 8, 4, 4], "UINT4", perm=[0, 3, 1, 2])
    net.add("DepthToSpace", ["first"], "blocks", [1, 2, 8, 8], "UINT4", blocksize=2)
    net.add("Transpose", ["blocks"], "last", [1, 8, 8, 2], "UINT4", perm=[0, 2, 3, 1])
    scales = net.constant("scales", np.array([1, 1, 2, 1], np.float32))
    net.add("Resize", ["last", "", scales], "large", [1, 8, 16, 2], "UINT4", mode="nearest")
    net.add(
        "Im2Col", ["large"], "windows", [1, 3, 7, 18], "UINT4", domain=QONNX, kernel_size=[3, 3],
        stride=[2, 2], input_shape="(1, 8, 16, 2)",
    )  # fmt: skip
    weights = np.random.default_rng(0).integers(-8, 8, (18, 4))
    net.matmul("windows", "y", weights)
    net.shapes["y"] = [1, 3, 7, 4]
    result = Compiler().compile(
        net.save(tmp_path / "model.onnx", "y"),
        CompilationStrategy("as-it-is", extends=None, objective="area"),
        CompileOptions(output=tmp_path / "build", target="ecp5-25k", synthesize=False),
    )
    assert result.success and result.verification.bit_exact
    assert not result.host_nodes
    assert result.metrics["initiation_interval"].value == 3 * 7 * 18 * 4
