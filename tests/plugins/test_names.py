"""Names: what they may be, and which ones imitate each other."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brainsmith.plugins.names import canonical, is_component_name, is_module, is_plugin_name


@pytest.mark.parametrize(
    "imitation",
    [
        "Flash-Attention",
        "flash_attention",
        "flash.attention",
        "flash--attention",
        "flash-_.attention",
        "flash\N{EN DASH}attention",
        "flash\N{MINUS SIGN}attention",
        "fl\N{CYRILLIC SMALL LETTER A}sh-attention",
        "flash-attenti\N{GREEK SMALL LETTER OMICRON}n",
        "\N{LATIN SMALL LIGATURE FL}ash-attention",
        "\N{FULLWIDTH LATIN SMALL LETTER F}lash-attention",
        "flash-\N{LATIN SMALL LETTER A WITH DIAERESIS}ttention",
        "flash-\N{CYRILLIC CAPITAL LETTER A}TTENTION",
    ],
)
def test_an_imitation_has_the_form_of_the_name(imitation: str) -> None:
    assert canonical(imitation) == "flash-attention"


@pytest.mark.parametrize("name", ["flashattention", "flash-attention2", "flush-attention"])
def test_another_name_has_another_form(name: str) -> None:
    assert canonical(name) != "flash-attention"


@settings(deadline=None)
@given(st.text())
def test_the_form_of_a_form_is_itself(name: str) -> None:
    assert canonical(canonical(name)) == canonical(name)


@pytest.mark.parametrize("name", ["a", "A1", "my-plugin", "my_plugin.v2", "x" * 64])
def test_plugin_names(name: str) -> None:
    assert is_plugin_name(name)
    assert is_component_name(name)


@pytest.mark.parametrize(
    "name", ["", "-a", "a-", ".a", "a b", "a/b", "a:b", "ä", "a\n", "..", "x" * 65, "\u0430bc"]
)
def test_what_is_no_name(name: str) -> None:
    assert not is_plugin_name(name)
    assert not is_component_name(name)


@pytest.mark.parametrize("name", ["a", "a.b_c.D1", "_private.x"])
def test_modules_of_a_plugin(name: str) -> None:
    assert is_module(name)


@pytest.mark.parametrize(
    "name",
    ["", ".a", "..a", "a..b", "a.", "../a", "/a", "a/b", "a\\b", "a-b", "1a", "a.class", "ä"],
)
def test_module_names_that_lead_elsewhere(name: str) -> None:
    assert not is_module(name)
