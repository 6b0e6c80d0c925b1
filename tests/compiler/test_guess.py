"""Resources of kernels without a model: how good a guess is, against tables of synthesis."""

import dataclasses

import numpy as np
import pytest

from benchmarks import sweep_kernels, sweep_matmul
from brainsmith.compiler.folding import estimate
from brainsmith.compiler.guess import guess, has_model
from brainsmith.plugins import PluginRegistry

FACTOR = 4.0


class WithoutModel:
    """A kernel that says nothing of its resources."""


@pytest.fixture(scope="module")
def measured():
    """Configurations of all built-in kernels, with what synthesis made of them."""
    registry = PluginRegistry()
    small = [
        (sweep_kernels.instance_of(point, registry).config, figures)
        for kernel in sweep_kernels.FOLDERS
        for point, figures in sweep_kernels.read(kernel)
    ]
    units = [
        (sweep_matmul.instance_of(point, registry).config, figures)
        for point, figures in sweep_matmul.read()
    ]
    return small + units


@pytest.mark.parametrize("resource", ["LUT", "FF"])
def test_three_of_four_guesses_are_of_the_right_size(resource, measured):
    guesses = np.array([getattr(guess([config])[0], resource) for config, _ in measured])
    # A handful more or less is no other size.
    truths = np.array([max(figures[resource], 10) for _, figures in measured])
    ratios = np.maximum(guesses, 10) / truths
    right = (ratios < FACTOR) & (ratios > 1 / FACTOR)
    assert right.mean() >= 0.75
    assert 0.5 < np.median(ratios) < 2


def test_more_lanes_are_never_guessed_to_be_smaller(measured):
    for config, _ in measured:
        widest = {name: values[-1] for name, values in config.nest.legal(config.dims).items()}
        narrow, folded, wide = guess(
            [
                dataclasses.replace(config, folding=folding)
                for folding in ({}, config.folding, widest)
            ]
        )
        assert narrow.LUT <= folded.LUT <= wide.LUT
        assert narrow.FF <= folded.FF <= wide.FF


def test_constants_count_by_what_they_hold_not_by_their_datatype(measured):
    config = next(c for c, _ in measured if "thresholds" in c.statics)
    assert config.dtypes["thresholds"].bits == 64
    wider = dataclasses.replace(config, statics={"thresholds": config.static("thresholds") * 2**20})
    assert guess([config])[0].LUT * 2 < guess([wider])[0].LUT


def test_a_kernel_without_a_model_is_estimated_by_the_guess(measured):
    configs = [config for config, _ in measured[:5]]
    assert not has_model(WithoutModel())
    intervals, resources = estimate(WithoutModel(), configs)
    assert resources == guess(configs)
    assert intervals == [config.cycles for config in configs]


def test_every_built_in_kernel_has_a_model():
    for kernel in PluginRegistry().components("kernels"):
        # The parts of a composition have models, it has none of its own.
        if not kernel.info.compositions:
            assert has_model(kernel.instance), kernel.full_name
