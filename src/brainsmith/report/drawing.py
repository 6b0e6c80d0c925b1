"""The dataflow graph as boxes and wires with coordinates, for the page's inline SVG.

Two drawings of one layout: `draw_across` runs left to right and wraps into bands like text, for a
wide window; `draw_down` runs top down, for a phone. Coordinates are in SVG user units.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from brainsmith.report.graph import Layout, Placed, Route
from brainsmith.report.records import INPUT, OUTPUT, StreamRecord

WIDTH, HEIGHT = 178.0, 84.0
END_WIDTH, END_HEIGHT = 84.0, 34.0
GAP, LANE_GAP = 84.0, 30.0
DOWN_GAP, DOWN_LANE_GAP = 70.0, 28.0
SLIM = 22.0  # a lane or rank in which streams only pass by
MARGIN, GUTTER = 24.0, 52.0
TURN, TURN_PITCH, GUTTER_PITCH = 12.0, 8.0, 32.0
COLUMNS = 5
CORNER = 9.0
PORT_PITCH = 38.0

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """One node; x and y are its upper left corner."""

    name: str
    x: float
    y: float
    width: float
    height: float

    @property
    def is_end(self) -> bool:
        """Whether this is where the data comes from or goes to."""
        return self.name in (INPUT, OUTPUT)


@dataclass(frozen=True, slots=True)
class Wire:
    """One stream: its SVG path, its label's middle, and its thickness by bits a beat."""

    stream: StreamRecord
    path: str
    x: float
    y: float
    thickness: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything to draw, in a canvas of `width` by `height`."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    wires: tuple[Wire, ...]


def draw_across(layout: Layout) -> Drawing:
    """Left to right, wrapped into bands of at most `COLUMNS` ranks."""
    bands = _Bands(layout)
    boxes = []
    for name, place in layout.nodes.items():
        width, height = _size(name)
        x, y = bands.left_middle(place)
        boxes.append(Box(name, x, y - height / 2, width, height))
    leaving, arriving = _port_offsets(layout.routes, PORT_PITCH)
    wires = [
        _wire_across(route, bands, leaving[i], arriving[i], i)
        for i, route in enumerate(layout.routes)
    ]
    return Drawing(bands.width, bands.height, tuple(boxes), tuple(wires))


def draw_down(layout: Layout) -> Drawing:
    """Top down, one rank below the other."""
    column = _Column(layout)
    boxes = []
    for name, place in layout.nodes.items():
        width, height = _size(name)
        x, y = column.middle(place)
        boxes.append(Box(name, x - width / 2, y - height / 2, width, height))
    leaving, arriving = _port_offsets(layout.routes, 2 * PORT_PITCH)
    wires = [
        _wire_down(route, column, leaving[i], arriving[i]) for i, route in enumerate(layout.routes)
    ]
    return Drawing(column.width, column.height, tuple(boxes), tuple(wires))


class _Bands:
    """Where each rank and lane is, when the ranks wrap into bands of `columns`.

    Streams that go on in the next band turn at the right margin, run back through the gutter and
    turn again at the left margin. Each has a slot of its own there: the upper lanes turn outside
    on the right, run below in the gutter and turn inside on the left, so that none cross.
    """

    def __init__(self, layout: Layout) -> None:
        count = max(1, math.ceil(layout.ranks / COLUMNS))
        self.columns = math.ceil(layout.ranks / count)
        self.turns = self._turns(layout)
        most = max((len(routes) for routes in self.turns.values()), default=0)
        self.margin = MARGIN + TURN_PITCH * most
        self.width = 2 * self.margin + self.columns * (WIDTH + GAP) - GAP
        self._lanes: list[list[float]] = []
        top = MARGIN
        for band in range(count):
            middles, top = _stacked(self._heights(layout, band), top, LANE_GAP)
            self._lanes.append(middles)
            top += GUTTER + GUTTER_PITCH * len(self.turns.get(band, ()))
        self.height = top - GUTTER + MARGIN

    def _turns(self, layout: Layout) -> dict[int, list[int]]:
        """Per band, the routes that go on in the next one, upper lanes first."""
        turns: dict[int, list[tuple[int, int]]] = {}
        for i, route in enumerate(layout.routes):
            for place in route.places[:-1]:
                if (place.rank + 1) % self.columns == 0:
                    turns.setdefault(place.rank // self.columns, []).append((place.lane, i))
        return {band: [i for _, i in sorted(found)] for band, found in turns.items()}

    def _heights(self, layout: Layout, band: int) -> list[float]:
        ranks = range(band * self.columns, (band + 1) * self.columns)
        lanes = layout.lanes(ranks.start, ranks.stop)
        full = {place.lane for place in layout.nodes.values() if place.rank in ranks}
        return [HEIGHT if lane in full else SLIM for lane in range(lanes)]

    def left_middle(self, place: Placed) -> Point:
        """The middle of the left side of a node at `place`."""
        band, column = divmod(place.rank, self.columns)
        return self.margin + column * (WIDTH + GAP), self._lanes[band][place.lane]

    def turn(self, start: Point, end: Point, band: int, route: int) -> tuple[str, Point]:
        """The path from the end of `band` to the start of the next, and its label's middle."""
        slots = self.turns[band]
        inner = slots.index(route)
        outer = len(slots) - 1 - inner
        right, left = start[0] + TURN + outer * TURN_PITCH, end[0] - TURN - inner * TURN_PITCH
        below = min(self._lanes[band + 1]) - HEIGHT / 2
        gutter = below - GUTTER / 2 - inner * GUTTER_PITCH
        label = left + (right - left) * (inner + 1) / (len(slots) + 1)
        return _rounded(start, end, right, gutter, left), (label, gutter)


class _Column:
    """Where each rank and lane is, one rank below the other."""

    def __init__(self, layout: Layout) -> None:
        lanes = layout.lanes(0, layout.ranks)
        full = {place.lane for place in layout.nodes.values()}
        widths = [WIDTH if lane in full else SLIM for lane in range(lanes)]
        heights = [SLIM] * layout.ranks
        for name, place in layout.nodes.items():
            heights[place.rank] = max(heights[place.rank], _size(name)[1])
        self._xs, right = _stacked(widths, MARGIN, DOWN_LANE_GAP)
        self._ys, bottom = _stacked(heights, MARGIN, DOWN_GAP)
        self.width, self.height = right + MARGIN, bottom + MARGIN

    def middle(self, place: Placed) -> Point:
        """The middle of a node at `place`."""
        return self._xs[place.lane], self._ys[place.rank]


def _stacked(sizes: Sequence[float], start: float, gap: float) -> tuple[list[float], float]:
    """The middles of `sizes` laid one after the other, and where the last one ends."""
    middles = []
    for size in sizes:
        middles.append(start + size / 2)
        start += size + gap
    return middles, start - gap


def _size(name: str) -> Point:
    return (END_WIDTH, END_HEIGHT) if name in (INPUT, OUTPUT) else (WIDTH, HEIGHT)


def _wire_across(route: Route, bands: _Bands, leaving: float, arriving: float, index: int) -> Wire:
    """Through every rank from the source's right side to the sink's left side."""
    pieces: list[str] = []
    label: Point = (0, 0)
    last = len(route.places) - 1
    for i in range(last):
        here, there = bands.left_middle(route.places[i]), bands.left_middle(route.places[i + 1])
        width = _size(route.stream.source)[0] if i == 0 else WIDTH
        start = (here[0] + width, here[1] + (leaving if i == 0 else 0))
        end = (there[0], there[1] + (arriving if i + 1 == last else 0))
        if end[0] > start[0]:
            piece = _curve(start, end, across=True)
            label = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        else:
            band = route.places[i].rank // bands.columns
            piece, label = bands.turn(start, end, band, index)
        pieces.append(piece)
    return Wire(route.stream, _joined(pieces), *label, _thickness(route.stream))


def _wire_down(route: Route, column: _Column, leaving: float, arriving: float) -> Wire:
    """Through every rank from the source's lower side to the sink's upper side."""
    pieces: list[str] = []
    label: Point = (0, 0)
    last = len(route.places) - 1
    for i in range(last):
        here, there = column.middle(route.places[i]), column.middle(route.places[i + 1])
        below = _size(route.stream.source)[1] / 2 if i == 0 else 0
        above = _size(route.stream.sink)[1] / 2 if i + 1 == last else 0
        start = (here[0] + (leaving if i == 0 else 0), here[1] + below)
        end = (there[0] + (arriving if i + 1 == last else 0), there[1] - above)
        pieces.append(_curve(start, end, across=False))
        label = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    return Wire(route.stream, _joined(pieces), *label, _thickness(route.stream))


def _joined(pieces: Sequence[str]) -> str:
    """One path: every piece after the first goes on from where the one before ended."""
    return " ".join([pieces[0], *("L" + piece[1:] for piece in pieces[1:])])


def _port_offsets(routes: Sequence[Route], pitch: float) -> tuple[list[float], list[float]]:
    """How far from the middle of its box's side each stream leaves and arrives."""
    leaving = [0.0] * len(routes)
    arriving = [0.0] * len(routes)
    for offsets, end, next_to in ((leaving, 0, 1), (arriving, -1, -2)):
        sides: dict[Placed, list[int]] = {}
        for i, route in enumerate(routes):
            sides.setdefault(route.places[end], []).append(i)
        for side in sides.values():
            side.sort(key=lambda i: routes[i].places[next_to].lane)
            step = min(pitch, 2 * pitch / len(side))
            for position, i in enumerate(side):
                offsets[i] = (position - (len(side) - 1) / 2) * step
    return leaving, arriving


def _curve(start: Point, end: Point, *, across: bool) -> str:
    """A line where the ends face each other, else an S-curve."""
    (x0, y0), (x1, y1) = start, end
    if (y0 == y1) if across else (x0 == x1):
        return f"M{x0:g} {y0:g} L{x1:g} {y1:g}"
    if across:
        middle = (x0 + x1) / 2
        return f"M{x0:g} {y0:g} C{middle:g} {y0:g} {middle:g} {y1:g} {x1:g} {y1:g}"
    middle = (y0 + y1) / 2
    return f"M{x0:g} {y0:g} C{x0:g} {middle:g} {x1:g} {middle:g} {x1:g} {y1:g}"


def _rounded(start: Point, end: Point, right: float, gutter: float, left: float) -> str:
    """Out to `right`, down to `gutter`, back to `left`, down to the end, with round corners."""
    (x0, y0), (x1, y1), r = start, end, CORNER
    return (
        f"M{x0:g} {y0:g} L{right - r:g} {y0:g} Q{right:g} {y0:g} {right:g} {y0 + r:g} "
        f"L{right:g} {gutter - r:g} Q{right:g} {gutter:g} {right - r:g} {gutter:g} "
        f"L{left + r:g} {gutter:g} Q{left:g} {gutter:g} {left:g} {gutter + r:g} "
        f"L{left:g} {y1 - r:g} Q{left:g} {y1:g} {min(left + r, x1):g} {y1:g} L{x1:g} {y1:g}"
    )


def _thickness(stream: StreamRecord) -> float:
    """1.5 for one bit a beat, half a unit more with each factor of four."""
    return round(1.5 + math.log2(max(1, stream.elements * stream.bits)) / 4, 2)
