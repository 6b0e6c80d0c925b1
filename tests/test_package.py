"""The names of the package itself."""

from __future__ import annotations

import pytest

import brainsmith


@pytest.mark.parametrize("name", brainsmith.__all__)
def test_every_name_is_there(name: str) -> None:
    assert getattr(brainsmith, name)
    assert name in dir(brainsmith)


def test_any_other_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Compilr'"):
        _ = brainsmith.Compilr
