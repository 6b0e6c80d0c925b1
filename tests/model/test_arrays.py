"""Verification arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainsmith.errors import ConfigurationError
from brainsmith.model.arrays import read_frames


def test_an_array_is_split_into_frames(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    np.save(path, np.arange(24.0).reshape(4, 6))
    frames = read_frames(path, {"x": (1, 2, 3)})
    assert frames["x"].shape == (4, 1, 2, 3)


def test_several_inputs_come_from_an_archive(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, a=np.zeros((3, 2)), b=np.ones(3))
    frames = read_frames(path, {"a": (1, 2), "b": (1,)})
    assert frames["a"].shape == (3, 1, 2) and frames["b"].shape == (3, 1)


@pytest.mark.parametrize(
    ("array", "complaint"),
    [
        (np.zeros(7), "whose frames have the shape"),
        (np.array([0.0, np.nan]), "NaN"),
        (np.zeros((0, 2)), "holds no frame"),
        (np.array(["a", "b"]), "no numbers"),
    ],
)
def test_what_does_not_fit_is_an_error(tmp_path: Path, array: np.ndarray, complaint: str) -> None:
    path = tmp_path / "x.npy"
    np.save(path, array)
    with pytest.raises(ConfigurationError, match=complaint):
        read_frames(path, {"x": (1, 2)})


def test_the_order_of_the_dimensions_may_be_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    np.save(path, np.zeros((5, 2, 3)))
    assert read_frames(path, {"x": (1, 2, 3)}, exact=True)["x"].shape == (5, 1, 2, 3)
    assert read_frames(path, {"x": (1, 3, 2)})["x"].shape == (5, 1, 3, 2)
    with pytest.raises(ConfigurationError, match="whose frames have the shape"):
        read_frames(path, {"x": (1, 3, 2)}, exact=True)


def test_a_file_that_is_no_array_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    path.write_text("hello")
    with pytest.raises(ConfigurationError, match="cannot read"):
        read_frames(path, {"x": (1,)})
    with pytest.raises(ConfigurationError, match="no such file"):
        read_frames(tmp_path / "y.npy", {"x": (1,)})
