"""Frames that are images, for the report: before and after the accelerator."""

from __future__ import annotations

import numpy as np

from brainsmith.compiler.frontend import FrontEnd
from brainsmith.compiler.host import Frames, run_design
from brainsmith.compiler.vectors import Vectors
from brainsmith.compiler.verification import Evidence
from brainsmith.report.records import PictureRecord, PictureRole

_CHANNELS = (1, 3)
_LEAST = 9  # pixels of either side: smaller ones are features rather than images
_WHITE = 255


def pictures(front: FrontEnd, vectors: Vectors, evidence: Evidence) -> tuple[PictureRecord, ...]:
    """The first frame, where both an input and an output of the model look like images.

    For each such output there are two: what the hardware gave in the simulation of the whole
    network, and where that differs from the compiled integer model.

    Args:
        vectors: the frames that were driven; generated ones are noise, and no picture.
        evidence: what the simulation gave for them.
    """
    if vectors.generated or not evidence.networks:  # layers alone make no output of the model
        return ()
    first = {name: array[:1] for name, array in vectors.inputs.items()}
    before = {name: image for name, array in first.items() if (image := _image(array)) is not None}
    if not before:
        return ()
    runs = evidence.networks
    values = run_design(
        front.design, front.compiled, first, lambda part, _: runs[part.name].first_outputs
    )
    after: list[PictureRecord] = []
    for output in front.compiled.graph.outputs:
        after += _compared(output.name or "", values, evidence.values)
    shown = [_record(name, "input", image, _said(image)) for name, image in before.items()]
    return (*shown, *after) if after else ()


def _compared(name: str, got: Frames, want: Frames) -> list[PictureRecord]:
    image, expected = _image(got[name]), _image(want[name][:1])
    if image is None or expected is None:
        return []
    difference = np.abs(image.astype(np.float64) - expected)
    wrong = np.count_nonzero(difference)
    return [
        _record(name, "output", image, _said(image)),
        _record(name, "difference", difference, f"{wrong} of {difference.size} elements differ"),
    ]


def _image(array: np.ndarray) -> np.ndarray | None:
    """The one frame of `array` as (height, width, channels); None if it looks like no image."""
    if array.ndim < 3 or any(size != 1 for size in array.shape[:-3]):
        return None
    frame: np.ndarray = array.reshape(*array.shape[-3:])
    if frame.shape[0] in _CHANNELS:
        frame = frame.transpose(1, 2, 0)
    height, width, channels = frame.shape
    return frame if channels in _CHANNELS and min(height, width) >= _LEAST else None


def _record(name: str, role: PictureRole, image: np.ndarray, detail: str) -> PictureRecord:
    return PictureRecord(name, role, _levels(image), detail)


def _said(image: np.ndarray) -> str:
    return f"{image.min():.4g} to {image.max():.4g}"


def _levels(image: np.ndarray) -> np.ndarray:
    """Grey levels: of [0, 1] or 8 bits as they are, of anything else its own range."""
    lo, hi = float(image.min()), float(image.max())
    if lo >= 0:
        lo, hi = 0.0, next((end for end in (1.0, 255.0) if hi <= end), hi)
    scaled = (image.astype(np.float64) - lo) / max(hi - lo, np.finfo(np.float64).tiny)
    return np.rint(scaled * _WHITE).astype(np.uint8)
