"""Ranks and lanes of the dataflow graph."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from brainsmith.report.graph import Layout, lay_out
from brainsmith.report.records import StreamRecord


def streams(*pairs: tuple[str, str]) -> list[StreamRecord]:
    return [StreamRecord(source, sink, 1, 8) for source, sink in pairs]


def position(layout: Layout, name: str) -> tuple[int, int]:
    return layout.nodes[name].rank, layout.nodes[name].lane


def test_a_chain_is_one_straight_lane() -> None:
    layout = lay_out(["a", "b"], streams(("input", "a"), ("a", "b"), ("b", "output")))
    places = [position(layout, name) for name in ("input", "a", "b", "output")]
    assert places == [(0, 0), (1, 0), (2, 0), (3, 0)]


def test_a_residual_connection_passes_beside_the_layers_it_skips() -> None:
    layout = lay_out(
        ["split", "conv", "act", "add"],
        streams(("split", "conv"), ("conv", "act"), ("act", "add"), ("split", "add")),
    )
    assert {position(layout, name)[1] for name in layout.nodes} == {0}
    skip = layout.routes[3]
    assert [(place.rank, place.lane) for place in skip.places] == [(0, 0), (1, 1), (2, 1), (3, 0)]


def test_two_streams_between_the_same_nodes_are_both_kept() -> None:
    layout = lay_out(["split", "add"], streams(("split", "add"), ("split", "add")))
    assert len(layout.routes) == 2


def test_ends_that_only_streams_name_are_placed_too() -> None:
    layout = lay_out(["a"], streams(("input", "Quant_0"), ("Quant_0", "a"), ("a", "output")))
    assert [layout.nodes[name].rank for name in ("input", "Quant_0", "a", "output")] == [0, 1, 2, 3]


def test_a_cycle_does_not_hang() -> None:
    layout = lay_out(["a", "b"], streams(("a", "b"), ("b", "a"), ("a", "a")))
    assert set(layout.nodes) == {"a", "b"}


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[str], list[StreamRecord]]:
    size = draw(st.integers(1, 12))
    names = [f"n{i}" for i in range(size)]
    pairs = st.tuples(st.integers(0, size - 1), st.integers(0, size - 1))
    chosen = [(a, b) for a, b in draw(st.lists(pairs, max_size=24)) if a < b]
    return names, streams(*((names[a], names[b]) for a, b in chosen))


@given(graphs())
@settings(deadline=None)
def test_nothing_overlaps_and_everything_flows_forward(
    graph: tuple[list[str], list[StreamRecord]],
) -> None:
    layout = lay_out(*graph)
    taken = [position(layout, name) for name in graph[0]]
    for route in layout.routes:
        ranks = [place.rank for place in route.places]
        assert ranks == list(range(ranks[0], ranks[-1] + 1))
        taken += [(place.rank, place.lane) for place in route.places[1:-1]]
    assert len(taken) == len(set(taken))
    assert len(layout.routes) == len(graph[1])
