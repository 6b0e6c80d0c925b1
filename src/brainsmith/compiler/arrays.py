"""Inputs and expected outputs from .npy and .npz files, checked against the model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from brainsmith.errors import ConfigurationError, nearest

Shapes = Mapping[str, tuple[int, ...]]


def read_frames(path: Path, shapes: Shapes) -> dict[str, np.ndarray]:
    """Arrays of shape (frames, *shape) for each of the tensors in `shapes`.

    A .npy file is for models with one such tensor; a .npz file has an array for each name. An
    array may have any shape whose size is a whole number of frames.

    Raises:
        ConfigurationError: the file cannot be read, a name is unknown or missing, sizes do not
            fit, or it holds a NaN.
    """
    arrays = _load(path, list(shapes))
    for name in arrays:
        if name not in shapes:
            raise ConfigurationError(
                f"there is no tensor '{name}' in the model",
                where=str(path),
                hint=nearest(name, shapes),
            )
    missing = [name for name in shapes if name not in arrays]
    if missing:
        raise ConfigurationError(f"no array for '{missing[0]}'", where=str(path))
    frames = {name: _frames(array, shapes[name], name, path) for name, array in arrays.items()}
    counts = {len(array) for array in frames.values()}
    if len(counts) > 1:
        raise ConfigurationError(f"different numbers of frames: {sorted(counts)}", where=str(path))
    return frames


def _load(path: Path, names: list[str]) -> dict[str, np.ndarray]:
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            if len(names) != 1:
                raise ConfigurationError(
                    f"the model has {len(names)} tensors here: {', '.join(names)}",
                    where=str(path),
                    hint="a .npz file with an array for each",
                )
            return {names[0]: loaded}
        with loaded:
            return dict(loaded.items())
    except FileNotFoundError as error:
        raise ConfigurationError("no such file", where=str(path)) from error
    except (OSError, ValueError, EOFError) as error:
        raise ConfigurationError(f"cannot read the array: {error}", where=str(path)) from error


def _frames(array: np.ndarray, shape: tuple[int, ...], name: str, path: Path) -> np.ndarray:
    size = math.prod(shape)
    if array.size == 0 or array.size % size:
        raise ConfigurationError(
            f"an array of shape {array.shape} for '{name}', whose frames have the shape {shape}",
            where=str(path),
        )
    if np.issubdtype(array.dtype, np.floating) and not np.isfinite(array).all():
        raise ConfigurationError(f"the array for '{name}' holds NaN or infinity", where=str(path))
    return array.reshape(-1, *shape)
