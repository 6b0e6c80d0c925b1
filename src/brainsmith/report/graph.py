"""The dataflow graph as ranks (how far from the input) and lanes (which of the parallel paths).

1. The rank of a node is the longest path from a source to it.
2. A stream over several ranks passes each rank between on a place of its own.
3. A node takes the lane of its first predecessor where that is free, so chains stay straight and
   a branch moves to the next free lane.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from brainsmith.report.records import INPUT, OUTPUT, StreamRecord

# A place is (node, None), or (None, index of the stream) where a stream passes a rank by.
Place = tuple[str | None, int | None]


@dataclass(frozen=True, slots=True)
class Placed:
    """A node, or a stream that passes by, at its rank and lane."""

    rank: int
    lane: int


@dataclass(frozen=True, slots=True)
class Route:
    """One stream and the places it goes through, source and sink included, a rank apart each."""

    stream: StreamRecord
    places: tuple[Placed, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each node stands and each stream runs."""

    nodes: dict[str, Placed]
    routes: tuple[Route, ...]
    ranks: int

    def lanes(self, first: int, last: int) -> int:
        """How many lanes the ranks from `first` to `last` (exclusive) need."""
        places = [*self.nodes.values(), *(place for route in self.routes for place in route.places)]
        return 1 + max((p.lane for p in places if first <= p.rank < last), default=0)


def lay_out(names: Sequence[str], streams: Sequence[StreamRecord]) -> Layout:
    """Place `names` (in the order of the dataflow) and every end that a stream names."""
    streams = [stream for stream in streams if stream.source != stream.sink]
    nodes = _all_nodes(names, streams)
    ranks = _ranks(nodes, streams)
    forward = [s for s in streams if ranks[s.source] < ranks[s.sink]]
    lanes = _lanes(nodes, forward, ranks)
    placed = {name: Placed(ranks[name], lanes[(name, None)]) for name in nodes}
    routes = tuple(_route(stream, i, placed, lanes) for i, stream in enumerate(forward))
    return Layout(placed, routes, 1 + max(ranks.values(), default=0))


def _all_nodes(names: Sequence[str], streams: Sequence[StreamRecord]) -> list[str]:
    """Every node once: the input first, the output last, what only streams name between."""
    ends = {end for stream in streams for end in (stream.source, stream.sink)}
    others = sorted(ends - {INPUT, OUTPUT, *names})
    first = [INPUT] if INPUT in ends else []
    last = [OUTPUT] if OUTPUT in ends else []
    inner = [name for name in dict.fromkeys(names) if name not in (INPUT, OUTPUT)]
    return [*first, *inner, *others, *last]


def _ranks(nodes: Sequence[str], streams: Iterable[StreamRecord]) -> dict[str, int]:
    """Longest path to each node; a stream that closes a cycle counts for nothing."""
    successors: dict[str, list[str]] = defaultdict(list)
    waiting: dict[str, int] = dict.fromkeys(nodes, 0)
    for stream in streams:
        successors[stream.source].append(stream.sink)
        waiting[stream.sink] += 1
    ranks = dict.fromkeys(nodes, 0)
    ready = [name for name in nodes if not waiting[name]]
    while waiting:
        # A cycle leaves nothing ready: break it at the first node that is left.
        name = ready.pop(0) if ready else next(iter(waiting))
        del waiting[name]
        for sink in successors[name]:
            if sink in waiting:
                ranks[sink] = max(ranks[sink], ranks[name] + 1)
                waiting[sink] -= 1
                if not waiting[sink]:
                    ready.append(sink)
    return ranks


def _lanes(
    nodes: Sequence[str], streams: Sequence[StreamRecord], ranks: dict[str, int]
) -> dict[Place, int]:
    """The lane of each node and of each stream at each rank that it passes by.

    A stream keeps one lane over all ranks between its ends, so it is never bent on its way.
    """
    lanes: dict[Place, int] = {}
    taken: dict[int, set[int]] = defaultdict(set)
    arriving: dict[str, list[StreamRecord]] = defaultdict(list)
    for stream in streams:
        arriving[stream.sink].append(stream)
    passing = sorted(
        (i for i, s in enumerate(streams) if ranks[s.sink] - ranks[s.source] > 1),
        key=lambda i: ranks[streams[i].sink] - ranks[streams[i].source],
    )
    for name in sorted(nodes, key=lambda name: ranks[name]):
        sources = [lanes[(stream.source, None)] for stream in arriving[name]]
        lane = _nearest_free(min(sources, default=0), taken[ranks[name]])
        taken[ranks[name]].add(lane)
        lanes[(name, None)] = lane
    for i in passing:
        between = range(ranks[streams[i].source] + 1, ranks[streams[i].sink])
        blocked = set().union(*(taken[rank] for rank in between))
        lane = _nearest_free(lanes[(streams[i].source, None)], blocked)
        for rank in between:
            taken[rank].add(lane)
        lanes[(None, i)] = lane
    return lanes


def _nearest_free(wanted: int, taken: set[int]) -> int:
    """`wanted`, or the free lane nearest to it; the lower neighbour is tried last."""
    for distance in range(len(taken) + wanted + 1):
        for lane in (wanted + distance, wanted - distance):
            if lane >= 0 and lane not in taken:
                return lane
    return wanted + len(taken) + 1


def _route(
    stream: StreamRecord, index: int, placed: dict[str, Placed], lanes: dict[Place, int]
) -> Route:
    source, sink = placed[stream.source], placed[stream.sink]
    between = (Placed(rank, lanes[(None, index)]) for rank in range(source.rank + 1, sink.rank))
    return Route(stream, (source, *between, sink))
