"""Inputs and expected outputs from .npy and .npz files, checked against the model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from brainsmith.errors import ConfigurationError, nearest

Shapes = Mapping[str, tuple[int, ...]]


def read_frames(path: Path, shapes: Shapes, *, exact: bool = False) -> dict[str, np.ndarray]:
    """Arrays of shape (frames, *shape) for each of the tensors in `shapes`.

    A .npy file is for models with one such tensor, and stays on disk until a part of it is read;
    a .npz file has an array for each name. An array may have any shape whose size is a whole
    number of frames.

    Args:
        path: the file.
        shapes: the shape of a frame, its batch included, by the name of the tensor.
        exact: whether the dimensions of an array behind the first have to be those of a frame
            behind its batch, so that images with their channels last are no images with their
            channels first.

    Raises:
        ConfigurationError: the file cannot be read, a name is unknown or missing, shapes do not
            fit, or it holds no frame or a NaN.
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
    for name, array in arrays.items() if exact else ():
        _check_dimensions(array, shapes[name], name, path)
    frames = {name: _frames(array, shapes[name], name, path) for name, array in arrays.items()}
    counts = {len(array) for array in frames.values()}
    if len(counts) > 1:
        raise ConfigurationError(f"different numbers of frames: {sorted(counts)}", where=str(path))
    return frames


def _load(path: Path, names: list[str]) -> dict[str, np.ndarray]:
    try:
        loaded = np.load(path, mmap_mode="r", allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            if len(names) != 1:
                raise ConfigurationError(
                    f"the model has {len(names)} tensors here: {', '.join(names)}",
                    where=str(path),
                    hint="a .npz file with an array for each",
                )
            return {names[0]: np.asarray(loaded)}
        with loaded:
            return dict(loaded.items())
    except FileNotFoundError as error:
        raise ConfigurationError("no such file", where=str(path)) from error
    except (OSError, ValueError, EOFError) as error:
        raise ConfigurationError(f"cannot read the array: {error}", where=str(path)) from error


def _check_dimensions(array: np.ndarray, shape: tuple[int, ...], name: str, path: Path) -> None:
    rest = shape[1:]
    if array.shape[-len(rest) :] != rest if rest else array.ndim > 1:
        raise ConfigurationError(
            f"an array of shape {array.shape} for '{name}', whose frames have the shape {shape}",
            where=str(path),
            hint=f"it needs the shape (frames, {', '.join(map(str, rest))})",
        )


def _frames(array: np.ndarray, shape: tuple[int, ...], name: str, path: Path) -> np.ndarray:
    size = math.prod(shape)
    if array.size == 0:
        raise ConfigurationError(f"the array for '{name}' holds no frame", where=str(path))
    if array.dtype.kind not in "biuf":
        raise ConfigurationError(
            f"the array for '{name}' holds no numbers but {array.dtype}", where=str(path)
        )
    if array.size % size:
        raise ConfigurationError(
            f"an array of shape {array.shape} for '{name}', whose frames have the shape {shape}",
            where=str(path),
        )
    frames = array.reshape(-1, *shape)
    if np.issubdtype(array.dtype, np.floating) and not all(map(_is_finite, frames)):
        raise ConfigurationError(f"the array for '{name}' holds NaN or infinity", where=str(path))
    return frames


def _is_finite(frame: np.ndarray) -> bool:
    return bool(np.isfinite(frame).all())
