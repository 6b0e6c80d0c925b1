"""Writes docs/networks.md: which nodes of well-known networks run on hardware, and which do not.

`python tools/network_table.py [FILE]` takes some minutes, and 8 GB of memory for VGG-19.
"""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.survey import FRAMES, Survey, survey  # noqa: E402

PAGE = ROOT / "docs" / "networks.md"
BITS = 8
# The names that people know them by.
TITLES = {
    "resnet50": "ResNet-50",
    "squeezenet": "SqueezeNet",
    "vgg19": "VGG-19",
    "densenet121": "DenseNet-121",
    "inception_v1": "Inception v1",
    "inception_v2": "Inception v2",
    "shufflenet": "ShuffleNet",
}
_HEAD = f"""# Well-known networks

What the front end makes of the architectures that the `onnx` package ships
(`onnx/backend/test/data/light`), with an image of 224 x 224 pixels. Their weights are drawn at
random with a seed, since those in the package are all equal. They are quantized to {BITS} bits with
{FRAMES} random frames, and mapped. `python tools/network_table.py` makes this page.

A node is counted as on hardware if the hardware computes it or something that it is a part of:
normalizations and activations are thresholds, biases are part of these, reshapes move nothing.
Besides its nodes on the host, each network has a quantizer of its input there, and what scales the
hardware's integers at each border.

| network | nodes | on hardware | on the host | parts in hardware |
|---|---|---|---|---|"""
_TIMES = f"""
## Time and memory

Seconds of processor time, all threads together. *Quantize* is the calibration with {FRAMES} frames
and the quantizers; *transform* leads from the quantized model to the integer model.

| network | load | quantize | transform | map | peak memory |
|---|---|---|---|---|---|"""
STAGES = ("load", "quantize", "transform", "map")


def main() -> None:
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        surveys = [pool.apply(_surveyed, (name,)) for name in TITLES]
    page = Path(sys.argv[1]) if sys.argv[1:] else PAGE
    page.write_text("\n".join(_lines(surveys)) + "\n")


def _surveyed(name: str) -> Survey:
    with tempfile.TemporaryDirectory() as folder:
        return survey(name, BITS, Path(folder))


def _lines(surveys: Sequence[Survey]) -> Iterator[str]:
    yield _HEAD
    yield from map(overview, surveys)
    for one in surveys:
        yield f"\n## {TITLES[one.name]}\n"
        yield from operations(one)
    yield _TIMES
    for one in surveys:
        seconds = " | ".join(f"{one.seconds[stage]:.1f}" for stage in STAGES)
        yield f"| {TITLES[one.name]} | {seconds} | {one.gigabytes:.1f} GB |"


def overview(one: Survey) -> str:
    """The row of a network among all."""
    nodes = sum(one.nodes.values())
    host = sum(map(len, one.host.values()))
    return f"| {TITLES[one.name]} | {nodes} | {nodes - host} | {host} | {one.parts} |"


def operations(one: Survey) -> Iterator[str]:
    """The table of a network, an operation a row, and its kernels."""
    yield "| operation | nodes | on hardware | why not the others |"
    yield "|---|---|---|---|"
    for op_type, count in sorted(one.nodes.items()):
        reasons = "; ".join(
            f"{len(names)}: {reason}"
            for (op, reason), names in sorted(one.host.items())
            if op == op_type
        )
        yield f"| `{op_type}` | {count} | {count - one.on_host(op_type)} | {reasons} |"
    kernels = ", ".join(f"{count} `{name}`" for name, count in sorted(one.kernels.items()))
    yield f"\nKernels: {kernels}."


if __name__ == "__main__":
    main()
