"""Runs a compiled simulation: streams in, streams out, with the cycle of every frame."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainsmith.errors import BrainsmithError, ToolError, VerificationError, nearest
from brainsmith.room import room
from brainsmith.sandbox.levels import Level
from brainsmith.storage import storage_errors
from brainsmith.toolchains.confined import Confined
from brainsmith.toolchains.hdl import StreamPort, Unit, write_files
from brainsmith.toolchains.packing import Integers, pack, unpack, words_per_beat
from brainsmith.toolchains.process import BuildLog, failure, run
from brainsmith.toolchains.tools import Tool
from brainsmith.toolchains.wrapper import Layout

EXECUTABLE = "simulation"
_DRAIN = 256
_ELSEWHERE = "point TMPDIR at a folder that can be written"
_PROGRESS = re.compile(r"@progress ([0-9]{1,18}) ([0-9]{1,18})")
_DAY = 86400.0
_LONGEST = 16 << 20  # characters of the counts of all streams
_VIOLATIONS = {
    "dropped": "took tvalid back before tready came",
    "changed": "changed tdata while tvalid waited for tready",
    "combinational": "lets tvalid depend on tready within a cycle",
    "surplus": "offers a beat after its last frame",
}


class StreamError(VerificationError):
    """A unit hangs, or breaks the wire contract.

    Args:
        what: what happened.
        units: the names of those that it is about.
        where: the cycle and the port.
        hint: what to do next.
    """

    def __init__(
        self, what: str, *, units: tuple[str, ...], where: str, hint: str | None = None
    ) -> None:
        super().__init__(what, where=where, hint=hint)
        self.units = units


Inputs = Mapping[str, Mapping[str, Integers]]
FrameSizes = Mapping[str, Mapping[str, int]]
OnProgress = Callable[[int, int, int], None]
"""Hears of the frames that have come out, their number, and the cycles that were simulated."""


@dataclass(frozen=True)
class PortTiming:
    """When the beats of a port were taken.

    Args:
        first: cycle of the first beat of each frame; cycle 0 is the first after reset.
        last: cycle of the last beat of each frame.
        stalled: cycles with tvalid and no tready from the end of the unit's first output frame on.
    """

    first: NDArray[np.int64]
    last: NDArray[np.int64]
    stalled: int


@dataclass(frozen=True)
class MonitorCount:
    """What a monitor saw: beats over the run; stalled (tvalid, no tready) and starved (tready, no
    tvalid) cycles from the end of the unit's first output frame to its last beat."""

    beats: int
    stalled: int
    starved: int


@dataclass(frozen=True)
class UnitRun:
    """What a unit did.

    Args:
        outputs: by output port, int64 of shape (frames, elements per frame).
        timing: by port, inputs and outputs.
        monitors: by monitor.
        cycles: of the whole simulation, all units together.
    """

    outputs: Mapping[str, Integers]
    timing: Mapping[str, PortTiming]
    monitors: Mapping[str, MonitorCount]
    cycles: int

    @property
    def latency(self) -> int:
        """Cycles from the first beat in to the last beat out of the first frame."""
        start = min(t.first[0] for name, t in self.timing.items() if name not in self.outputs)
        end = max(self.timing[name].last[0] for name in self.outputs)
        return int(end - start)


@dataclass(frozen=True)
class _Stream:
    """A stream with its index in the bench and its beats."""

    unit: Unit
    port: StreamPort
    beats: int
    per_frame: int

    @property
    def name(self) -> str:
        return f"{self.unit.name}.{self.port.name}"


@dataclass(frozen=True)
class Simulation:
    """A compiled simulation of some units. Made by `build_simulation`."""

    executable: Path
    units: tuple[Unit, ...]
    layout: Layout
    files: Mapping[str, bytes]
    wave: bool = False
    log: BuildLog | None = field(default=None, repr=False)
    confined: Level = Level.L0

    def run(
        self,
        inputs: Inputs,
        *,
        frames_out: FrameSizes,
        stall_seed: int | None = None,
        timeout_cycles: int = 1_000_000,
        drain_cycles: int = _DRAIN,
        wave: Path | None = None,
        progress: OnProgress | None = None,
    ) -> dict[str, UnitRun]:
        """Drives every unit with its inputs until all frames are out, and some cycles longer.

        Args:
            inputs: by unit and port, int64 of shape (frames, elements per frame).
            frames_out: by unit and output port, elements per frame.
            stall_seed: if given, every port stalls at random: gaps in the inputs, back-pressure on
                the outputs, and ready that waits for valid. None: no stalls at all.
            timeout_cycles: cycles in which an unfinished unit moves no beat, after which it hangs.
            drain_cycles: cycles after the last beat in which no further one may come.
            wave: FST file to write; only if the simulation was built with `wave=True`.
            progress: called with the frames that have come out of all units, their number, and
                the cycles that were simulated.

        Raises:
            VerificationError: a unit hangs, or breaks the wire contract; names port and cycle.
            ToolError: inputs that do not belong to the units, or the simulation crashed.
        """
        if wave is not None and not self.wave:
            raise ToolError("this simulation was built without waves", hint="build with wave=True")
        sources, sinks = self._streams(inputs, frames_out)
        total = sum(s.beats // s.per_frame for s in sinks)
        with storage_errors(Path(tempfile.gettempdir()), _ELSEWHERE):
            folder = Path(tempfile.mkdtemp(prefix="brainsmith-sim-"))
            try:
                write_files(self.files, folder)
                self._write_plan(
                    folder, sources, sinks, stall_seed, timeout_cycles, drain_cycles, wave
                )
                for index, source in enumerate(sources):
                    data = inputs[source.unit.name][source.port.name]
                    _write_input(folder / f"in{index}.bin", data, source.port)
                self._execute(folder, total, progress)
                found = self._read(folder, sources, sinks)
            finally:
                if wave is not None and (folder / "wave.fst").exists():
                    shutil.move(folder / "wave.fst", wave)
                shutil.rmtree(folder, ignore_errors=True)
        if progress is not None:
            progress(total, total, next(iter(found.values())).cycles)
        return found

    def _streams(
        self, inputs: Inputs, frames_out: FrameSizes
    ) -> tuple[list[_Stream], list[_Stream]]:
        _same_names("unit", [unit.name for unit in self.units], inputs)
        _same_names("unit", [unit.name for unit in self.units], frames_out)
        frames: dict[str, int] = {}
        for unit in self.units:
            given = inputs[unit.name]
            _same_names(f"{unit.name}: input", [p.name for p in _ports(unit, "in")], given)
            _same_names(
                f"{unit.name}: output", [p.name for p in _ports(unit, "out")], frames_out[unit.name]
            )
            counts = {len(array) for array in given.values()}
            if len(counts) != 1 or 0 in counts:
                raise ToolError(
                    "all inputs of a unit need the same number of frames, at least one",
                    where=unit.name,
                )
            frames[unit.name] = counts.pop()
        sources = [
            _stream(unit, port, inputs[unit.name][port.name].shape[1], frames[unit.name])
            for unit, port in self.layout.sources
        ]
        sinks = [
            _stream(unit, port, frames_out[unit.name][port.name], frames[unit.name])
            for unit, port in self.layout.sinks
        ]
        return sources, sinks

    def _write_plan(
        self,
        folder: Path,
        sources: list[_Stream],
        sinks: list[_Stream],
        stall_seed: int | None,
        timeout: int,
        drain: int,
        wave: Path | None,
    ) -> None:
        index = {unit.name: position for position, unit in enumerate(self.units)}
        stall, seed = int(stall_seed is not None), (stall_seed or 0) % (1 << 31)
        counts = (len(self.units), len(sources), len(sinks), len(self.layout.monitors))
        name = "wave.fst" if wave is not None else "-"
        lines = [f"{stall} {seed} {timeout} {drain} {name}", " ".join(map(str, counts))]
        lines += [
            f"{index[s.unit.name]} {words_per_beat(s.port)} {s.beats} {s.per_frame}"
            for s in (*sources, *sinks)
        ]
        lines += [str(index[unit.name]) for unit, _ in self.layout.monitors]
        (folder / "plan.txt").write_text("\n".join(lines) + "\n")

    def _execute(self, folder: Path, total: int, progress: OnProgress | None) -> None:
        tool = Tool("simulation", "", "", (str(self.executable),), self.executable)

        def on_line(line: str) -> bool:
            told = _PROGRESS.fullmatch(line)
            if told is None:
                return False
            if progress is not None:
                progress(int(told[1]), total, int(told[2]))
            return True

        how = Confined(self.confined, folder, starts=False)
        purpose = f"simulate {', '.join(unit.name for unit in self.units)}"
        status, output = run(
            tool, (), purpose=purpose[:100], cwd=folder, confined=how, timeout=_DAY, log=self.log,
            on_line=on_line, check=False,
        )  # fmt: skip
        if "Assertion failed" in output:
            raise VerificationError(f"an assertion failed in simulation:\n{output}", where=purpose)
        if status:
            raise failure(tool, purpose, tool.command, status, output)

    def _read(
        self, folder: Path, sources: list[_Stream], sinks: list[_Stream]
    ) -> dict[str, UnitRun]:
        """What the simulation has written, which may be anything where its sources are foreign."""
        try:
            return self._results(folder, sources, sinks)
        except (ValueError, LookupError, FileNotFoundError) as error:
            raise ToolError(
                "the simulation left no results that can be read",
                where=", ".join(unit.name for unit in self.units)[:100],
            ) from error

    def _results(
        self, folder: Path, sources: list[_Stream], sinks: list[_Stream]
    ) -> dict[str, UnitRun]:
        with (folder / "result.txt").open() as file:
            verdict, *details = file.read(_LONGEST).splitlines()
        kind, cycle, *words = verdict.split()
        if kind != "ok":
            raise _error(kind, int(cycle), words, details, sources, sinks)
        counts = [[int(word) for word in line.split()] for line in details]
        frames_of_all = sum(s.beats // s.per_frame for s in (*sources, *sinks))
        cycles = np.fromfile(folder / "cycles.bin", np.int64, 2 * frames_of_all)
        timing: dict[str, dict[str, PortTiming]] = {unit.name: {} for unit in self.units}
        for stream, (stalled,) in zip((*sources, *sinks), counts, strict=False):
            frames = stream.beats // stream.per_frame
            own, cycles = cycles[: 2 * frames].reshape(frames, 2), cycles[2 * frames :]
            timing[stream.unit.name][stream.port.name] = PortTiming(own[:, 0], own[:, 1], stalled)
        outputs: dict[str, dict[str, Integers]] = {unit.name: {} for unit in self.units}
        for index, sink in enumerate(sinks):
            path = folder / f"out{index}.bin"
            outputs[sink.unit.name][sink.port.name] = _read_output(path, sink)
        seen: dict[str, dict[str, MonitorCount]] = {unit.name: {} for unit in self.units}
        rows = counts[len(sources) + len(sinks) :]
        for (unit, monitor), row in zip(self.layout.monitors, rows, strict=True):
            seen[unit.name][monitor.name] = MonitorCount(*row)
        return {
            name: UnitRun(outputs[name], timing[name], seen[name], int(cycle)) for name in outputs
        }


def _ports(unit: Unit, direction: str) -> list[StreamPort]:
    return [port for port in unit.ports if port.direction == direction]


def _same_names(kind: str, expected: list[str], given: Mapping[str, object]) -> None:
    for name in given:
        if name not in expected:
            raise ToolError(f"{kind} '{name}' does not exist", hint=nearest(name, expected))
    for name in expected:
        if name not in given:
            raise ToolError(f"nothing is given for {kind} '{name}'")


def _stream(unit: Unit, port: StreamPort, elements: int, frames: int) -> _Stream:
    if elements < 1 or elements % port.elements:
        raise ToolError(
            f"frames of {elements} elements do not fill beats of {port.elements}",
            where=f"{unit.name}.{port.name}",
        )
    per_frame = elements // port.elements
    return _Stream(unit, port, frames * per_frame, per_frame)


def _write_input(path: Path, data: Integers, port: StreamPort) -> None:
    """The beats of all frames, a frame at a time, so that only one is there in full width."""
    with path.open("wb") as file:
        for frame in data:
            beats = np.ascontiguousarray(frame, np.int64).reshape(-1, port.elements)
            file.write(pack(beats, port).data)


def _read_output(path: Path, sink: _Stream) -> Integers:
    """All frames; those of a long run lie in a file."""
    width, frames = words_per_beat(sink.port), sink.beats // sink.per_frame
    found = room((frames, sink.per_frame * sink.port.elements), np.dtype(np.int64))
    with path.open("rb") as file:
        for frame in found:
            words = np.fromfile(file, np.uint32, sink.per_frame * width)
            frame[:] = unpack(words.reshape(sink.per_frame, width), sink.port).reshape(-1)
    return found


def _error(
    kind: str,
    cycle: int,
    words: list[str],
    details: list[str],
    sources: list[_Stream],
    sinks: list[_Stream],
) -> BrainsmithError:
    if kind == "violation":
        sink = sinks[int(words[1])]
        return StreamError(
            f"{sink.name} {_VIOLATIONS[words[0]]}",
            units=(sink.unit.name,),
            where=f"cycle {cycle}, port {sink.port.prefix}",
            hint="see the wire contract of a kernel",
        )
    if kind == "hang":
        return _hang(cycle, details, sources, sinks)
    return VerificationError("a source ended the simulation ($finish)", where=f"cycle {cycle}")


def _hang(
    cycle: int, details: list[str], sources: list[_Stream], sinks: list[_Stream]
) -> StreamError:
    lines = []
    units = []
    hint = None
    for line in details:
        direction, *numbers = line.split()
        index, done, beats, patient = map(int, numbers)
        stream = (sources if direction == "in" else sinks)[index]
        state = "was not taken" if direction == "in" else "did not come"
        units.append(stream.unit.name)
        lines.append(f"{stream.name}: beat {done + 1} of {beats} {state}")
        if patient:
            hint = f"does tvalid of {stream.port.prefix} wait for tready?"
    return StreamError(
        "the simulation hangs:\n    " + "\n    ".join(lines),
        units=tuple(dict.fromkeys(units)),
        where=f"cycle {cycle}",
        hint=hint,
    )
