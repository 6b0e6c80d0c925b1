"""Post-training quantization: where quantizers go, their grids, and what accuracy is left."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from brainsmith.api import ConfigurationError, Model, TransformConfig
from brainsmith.builtin.transforms.quantize_model import QuantizeModel
from brainsmith.builtin.transforms.quantize_ranges import METHODS, ranges_of
from tests.builtin.float_models import (
    MNIST,
    digits,
    mnist,
    parse,
    quantize,
    run,
)
from tests.light import NAMES, light


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def readers(model: Model, name: str) -> list[str]:
    """The operators that read a value."""
    return [node.op_type for node in model.value(name).consumers()]


def quantizer(model: Model, name: str) -> tuple[float, float, int, bool]:
    """Scale, zero point, bits and sign of the quantizer behind a value."""
    (node,) = (n for n in model.value(name).consumers() if n.op_type == "Quant")
    scale, zero, bits = (model.constant(v) for v in node.inputs[1:])
    return scale.item(), zero.item(), int(bits.item()), bool(node.attributes.get_int("signed"))


def snr_db(real: np.ndarray, other: np.ndarray) -> float:
    return float(10 * np.log10((real**2).sum() / ((real - other) ** 2).sum()))


# --- where quantizers go --------------------------------------------------------------------


def test_a_chain_is_quantized_at_its_end(tmp_path: Path, rng: np.random.Generator) -> None:
    model = parse(
        """g (float[1,2,6,6] x) => (float[1,3] y) {
            a = Conv<pads=[1,1,1,1]>(x, w)
            b = BatchNormalization(a, s, s, s, v)
            r = Relu(b)
            p = MaxPool<kernel_shape=[2,2], strides=[2,2]>(r)
            f = Flatten(p)
            y = Gemm<transB=1>(f, u)
        }""",
        w=rng.normal(size=(4, 2, 3, 3)), s=np.ones(4), v=np.ones(4), u=rng.normal(size=(3, 36)),
    )  # fmt: skip
    quantized = quantize(model, rng.normal(size=(4, 1, 2, 6, 6)), tmp_path)
    assert readers(quantized, "x") == ["Quant"]
    assert readers(quantized, "a") == ["BatchNormalization"]
    assert readers(quantized, "b") == ["Relu"]
    assert readers(quantized, "r") == ["Quant"]
    assert readers(quantized, "p") == ["Flatten"] and readers(quantized, "f") == ["Gemm"]
    assert [node.op_type for node in quantized.graph].count("Quant") == 4
    assert quantizer(quantized, "r")[1:] == (0, 8, False), "behind a Relu codes have no sign"
    assert quantizer(quantized, "x")[1:] == (0, 8, True)
    shapes = [
        quantized.constant(node.inputs[1]).shape
        for node in quantized.graph
        if node.op_type == "Quant" and node.inputs[0].is_initializer()
    ]
    assert sorted(shapes) == [(3, 1), (4, 1, 1, 1)], "one scale an output channel"
    onnx.checker.check_model(quantized.to_proto())


def test_two_branches_that_are_added_have_one_scale(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    model = parse(
        """g (float[1,4] x) => (float[1,4] y) {
            a = MatMul(x, w)
            r = Relu(a)
            b = MatMul(r, u)
            c = Add(b, r)
            d = Relu(c)
            y = MatMul(d, w)
        }""",
        w=rng.normal(size=(4, 4)), u=10 * rng.normal(size=(4, 4)),
    )  # fmt: skip
    quantized = quantize(model, rng.normal(size=(8, 1, 4)), tmp_path, activation_bits=6)
    assert quantizer(quantized, "b")[0] == quantizer(quantized, "r")[0]
    assert (quantizer(quantized, "b")[3], quantizer(quantized, "r")[3]) == (True, False)
    assert readers(quantized, "c") == ["Relu"]


def test_what_is_concatenated_has_one_grid_and_averages_have_two(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    model = parse(
        """g (float[1,2,4,4] x) => (float[1,3] y) {
            a = Conv(x, w)
            r = Relu(a)
            b = Conv(x, u)
            c = Concat<axis=1>(r, b)
            d = GlobalAveragePool(c)
            f = Flatten(d)
            y = MatMul(f, m)
        }""",
        w=rng.normal(size=(2, 2, 1, 1)), u=5 * rng.normal(size=(2, 2, 1, 1)),
        m=rng.normal(size=(4, 3)),
    )  # fmt: skip
    quantized = quantize(
        model, rng.normal(size=(8, 1, 2, 4, 4)), tmp_path, activations="asymmetric"
    )
    assert quantizer(quantized, "r") == quantizer(quantized, "b")
    assert readers(quantized, "c") == ["GlobalAveragePool"]
    assert readers(quantized, "d") == ["Quant"]


def test_weights_that_nodes_compute_are_quantized_too(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    model = parse(
        """g (float[1,3] x) => (float[1,4] y) {
            t = Transpose<perm=[1,0]>(w)
            y = MatMul(x, t)
        }""",
        w=rng.normal(size=(4, 3)),
    )  # fmt: skip
    quantized = quantize(model, rng.normal(size=(8, 1, 3)), tmp_path)
    assert readers(quantized, "t") == ["Quant"]


def test_what_is_quantized_already_stays(tmp_path: Path, rng: np.random.Generator) -> None:
    model = parse(
        """g (float[1,3] x) => (float[1,3] y) {
            q = qonnx.custom_op.general.Quant<signed=1, narrow=0, rounding_mode="ROUND">(x, s, z, n)
            v = qonnx.custom_op.general.Quant<signed=1, narrow=1, rounding_mode="ROUND">(w, s, z, n)
            a = MatMul(q, v)
            r = Relu(a)
            y = MatMul(r, w)
        }""",
        w=rng.normal(size=(3, 3)), s=0.5, z=0.0, n=3.0,
    )  # fmt: skip
    frames = rng.normal(size=(8, 1, 3))
    quantized = quantize(model, frames, tmp_path)
    assert readers(quantized, "x") == ["Quant"] and readers(quantized, "q") == ["MatMul"]
    assert readers(quantized, "r") == ["Quant"]
    kept = run(model, frames.astype(np.float32), "a")["a"]
    assert np.array_equal(run(quantized, frames.astype(np.float32), "a")["a"], kept)
    assert {note.node for note in quantized.notes} == {
        node.name for node in model.graph if node.op_type == "Quant"
    }
    again = QuantizeModel().apply(quantized.copy(), TransformConfig(dict.fromkeys(PARAMS, "")))
    assert len(again.graph) == len(quantized.graph), "no data is needed where nothing is left to do"


PARAMS = QuantizeModel.__brainsmith__.params


# --- grids ----------------------------------------------------------------------------------


def test_padding_equals_the_zero_point(tmp_path: Path, rng: np.random.Generator) -> None:
    """ConvInteger pads with the zero point, Conv with the real 0: both give the same sums."""
    model = parse(
        "g (float[1,2,5,5] x) => (float[1,3,5,5] y) { y = Conv<pads=[1,1,1,1]>(x, w) }",
        w=rng.normal(size=(3, 2, 3, 3)),
    )
    frames = rng.uniform(-1, 3, size=(4, 1, 2, 5, 5)).astype(np.float32)
    quantized = quantize(
        model, frames, tmp_path, activations="asymmetric", weight_scales="per-tensor"
    )
    scale, zero, bits, signed = quantizer(quantized, "x")
    assert 0 < zero < 255 and zero.is_integer() and (bits, signed) == (8, False)
    step = quantizer(quantized, "w")[0]
    seen = run(quantized, frames, "x_quant_out", "w_quant_out")
    codes = np.rint(seen["x_quant_out"] / scale + zero).astype(np.uint8)
    weights = np.rint(seen["w_quant_out"][0] / step).astype(np.int8)
    sums = np.stack([_conv_integer(frame, weights, int(zero)) for frame in codes])
    np.testing.assert_allclose(sums * (scale * step), seen["y"], rtol=1e-4, atol=1e-4)


def _conv_integer(codes: np.ndarray, weights: np.ndarray, zero: int) -> np.ndarray:
    import onnxruntime

    node = helper.make_node("ConvInteger", ["x", "w", "z"], ["y"], pads=[1, 1, 1, 1])
    constants = {"w": weights, "z": np.array(zero, np.uint8)}
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("x", onnx.TensorProto.UINT8, codes.shape)],
        [helper.make_tensor_value_info("y", onnx.TensorProto.INT32, None)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    opsets = [helper.make_opsetid("", 20)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return np.asarray(session.run(None, {"x": codes})[0])


@pytest.mark.parametrize("bits", [2, 3, 4, 5, 6, 7, 8])
def test_all_widths_stay_inside_their_codes(
    bits: int, tmp_path: Path, rng: np.random.Generator
) -> None:
    model = parse(
        "g (float[1,3] x) => (float[1,5] y) { y = MatMul(x, w) }", w=rng.normal(size=(3, 5))
    )
    frames = rng.normal(size=(50, 1, 3)).astype(np.float32)
    quantized = quantize(model, frames, tmp_path, weight_bits=bits, activation_bits=bits)
    seen = run(quantized, frames, "x_quant_out", "w_quant_out")
    assert len(np.unique(seen["x_quant_out"])) <= 2**bits
    assert all(len(np.unique(column)) < 2**bits for column in seen["w_quant_out"][0].T)


def test_weights_and_values_that_are_all_zero_have_a_grid(tmp_path: Path) -> None:
    model = parse("g (float[1,3] x) => (float[1,2] y) { y = MatMul(x, w) }", w=np.zeros((3, 2)))
    for method in METHODS:
        quantized = quantize(model, np.zeros((2, 1, 3)), tmp_path, method=method, weight_bits=4)
        assert not run(quantized, np.zeros((1, 1, 3)))["y"].any()


@pytest.mark.parametrize("method", ["minmax", "entropy", "percentile"])
def test_ranges_are_those_of_onnx_runtime_s_calibrators(
    method: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    from onnxruntime.quantization.calibrate import CalibrationMethod, create_calibrator

    model = parse(
        "g (float[1,30] x) => (float[1,30] y) { a = MatMul(x, w) y = MatMul(a, w) }",
        w=rng.normal(size=(30, 30)),
    )
    frames = rng.standard_t(3, size=(60, 1, 30)).astype(np.float32)
    model.save(tmp_path / "m.onnx")
    calibrator = create_calibrator(
        str(tmp_path / "m.onnx"),
        augmented_model_path=str(tmp_path / "augmented.onnx"),
        calibrate_method=CalibrationMethod[{"minmax": "MinMax"}.get(method, method.title())],
        extra_options={"num_bins": 512, "num_quantized_bins": 64} if method == "entropy" else {},
    )
    calibrator.collect_data(_Reader(frames))
    theirs = calibrator.compute_data()["a"].range_value
    ours = ranges_of(
        model, ["a"], {"x": frames}, method, 6, symmetric=True, advance=lambda: None
    )  # fmt: skip
    lo, hi = (np.asarray(end).item() for end in theirs)
    assert ours["a"] == pytest.approx((lo, hi), abs=(hi - lo) / 500)


class _Reader:
    def __init__(self, frames: np.ndarray) -> None:
        self._frames = iter(frames)

    def get_next(self) -> dict[str, np.ndarray] | None:
        frame = next(self._frames, None)
        return None if frame is None else {"x": frame}


# --- bad calibration data -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frames", "complaint"),
    [
        (np.zeros((4, 28, 28, 1)), "whose frames have the shape"),
        (np.zeros((4, 784)), "whose frames have the shape"),
        (np.zeros((0, 1, 28, 28)), "holds no frame"),
        (np.full((2, 1, 28, 28), np.nan), "NaN"),
        (np.full((2, 1, 28, 28), "a"), "no numbers"),
    ],
)
def test_bad_calibration_data_is_an_error(
    frames: np.ndarray, complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match=complaint) as raised:
        quantize(mnist(), frames, tmp_path)
    assert "calibration.npy" in (raised.value.where or "")


def test_no_calibration_data_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="calibration data"):
        quantize(mnist(), digits(), tmp_path, calibration="")
    with pytest.raises(ConfigurationError, match="no such file"):
        quantize(mnist(), digits(), tmp_path, calibration="nowhere.npy")


# --- accuracy -------------------------------------------------------------------------------


@pytest.mark.parametrize("activations", ["symmetric", "asymmetric"])
@pytest.mark.parametrize(
    ("bits", "method", "agreement", "ratio"),
    [
        (8, "minmax", 0.98, 35),
        (8, "percentile", 0.98, 35),
        (8, "distribution", 0.98, 35),
        (4, "minmax", 0.9, 14),
        (4, "entropy", 0.9, 14),
        (4, "percentile", 0.9, 14),
        (4, "distribution", 0.9, 12),
    ],
)
def test_a_trained_network_keeps_its_answers(
    bits: int, method: str, agreement: float, ratio: float, activations: str, tmp_path: Path
) -> None:
    frames = digits()
    quantized = quantize(
        mnist(), frames[:100], tmp_path,
        weight_bits=bits, activation_bits=bits, method=method, activations=activations,
    )  # fmt: skip
    (output,) = (value.name or "" for value in quantized.graph.outputs)
    real, other = run(mnist(), frames)[output], run(quantized, frames)[output]
    assert (real.argmax(axis=-1) == other.argmax(axis=-1)).mean() >= agreement
    assert snr_db(real, other) > ratio


@pytest.mark.parametrize(("bits", "ratio"), [(8, 30), (4, 10)])
def test_a_trained_network_s_own_test_data(bits: int, ratio: float, tmp_path: Path) -> None:
    data = MNIST / "test_data_set_0"
    image, wanted = (
        numpy_helper.to_array(onnx.load_tensor(data / f"{name}_0.pb"))
        for name in ("input", "output")
    )
    quantized = quantize(mnist(), image[None], tmp_path, weight_bits=bits, activation_bits=bits)
    (output,) = (value.name or "" for value in quantized.graph.outputs)
    found = run(quantized, image[None])[output][0]
    assert found.argmax() == wanted.argmax() and snr_db(wanted, found) > ratio


@pytest.mark.slow
@pytest.mark.skipif(not NAMES, reason="onnx comes without its light models")
def test_squeezenet_with_random_weights(tmp_path: Path, rng: np.random.Generator) -> None:
    model = Model.from_proto(light("squeezenet"))
    frames = rng.normal(size=(2, 1, 3, 224, 224)).astype(np.float32)
    value = [node.outputs[0].name or "" for node in model.graph if node.op_type == "Concat"][-1]
    real = run(model, frames, value)[value]
    found = {}
    for bits in (8, 4):
        widths = {"weight_bits": bits, "activation_bits": bits}
        quantized = quantize(model, frames, tmp_path, **widths)
        found[bits] = snr_db(real, run(quantized, frames, value)[value])
    assert found[8] > 25 and found[4] > 5 and found[8] > found[4]
