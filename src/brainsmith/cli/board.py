"""`brainsmith run`, `flash`, `simulate-board`: a build on its board, real or in simulation."""

from __future__ import annotations

import json as json_module
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from brainsmith.cli import options as shared
from brainsmith.cli.outcome import Outcome

if TYPE_CHECKING:
    import numpy as np
    from rich.console import Console

    from brainsmith.board.protocol import Status
    from brainsmith.compiler.on_board import BoardAccelerator, BoardSimulation
    from brainsmith.compiler.progress import Progress

Build = Annotated[Path, typer.Argument(metavar="BUILD", help="The folder of a build for a board.")]
_SHOWN = 1000  # elements that are shown


def run_on_board(
    build: Build,
    input: Annotated[Path, typer.Option(metavar="X.npy", help="Frames (.npy, or .npz by name).")],
    port: Annotated[
        str | None, typer.Option(metavar="DEVICE", help="Its serial device: /dev/ttyUSB0.")
    ] = None,
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Run on the board in simulation instead.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option(metavar="Y.npy", help="Where the outputs go (.npz for several).")
    ] = None,
    json: shared.Json = False,
    debug: shared.Debug = False,
) -> Outcome:
    """Run frames on a board that carries BUILD.

    The board is asked for the digest of its accelerator first, so that another bitstream than that
    of BUILD is refused.
    """
    from brainsmith.cli.progress import watch
    from brainsmith.compiler.on_board import BoardAccelerator
    from brainsmith.model.arrays import read_frames

    if (port is None) != simulate:
        raise typer.BadParameter("give one of --port DEVICE and --simulate", param_hint="--port")
    with (
        watch() as progress,
        _device(build, port, progress) as device,
        BoardAccelerator.open(build, device) as board,
    ):
        graph = board.model.graph
        shapes = {value.name or "": board.model.shape(value) for value in graph.inputs}
        frames = read_frames(input, shapes)
        count = len(next(iter(frames.values())))
        progress.step(f"run on {board.deployment.target}", count)
        outputs = board.run(frames, progress=lambda done, total: progress.advance(1))
        names = [value.name or "" for value in graph.outputs]
        arrays = dict(outputs) if isinstance(outputs, dict) else {names[0]: outputs}
        status = board.status
    if output is not None:
        _save(output, arrays)
    value = {
        "success": True,
        "target": board.deployment.target,
        "digest": status.digest,
        "frames": count,
        "simulated": simulate,
        "frames_per_second": board.frames_per_second,
        "clock_mhz": status.clock_hz / 1e6,
        "cycles": status.cycles,
        "resent": board.line.resent,
        "bad_frames": status.bad_frames,
        "output": None if output is None else str(output),
    }
    return Outcome(
        value, lambda console: _show(board, status, arrays, output, count, simulate, console)
    )


@contextmanager
def _device(build: Path, port: str | None, progress: Progress) -> Iterator[str]:
    """The board's device, or that of a simulation that runs meanwhile."""
    if port is not None:
        yield port
        return
    from brainsmith.compiler.on_board import BoardSimulation

    progress.step("build the simulation")
    with BoardSimulation.of(build).running() as board:
        yield board.port


def _save(path: Path, arrays: dict[str, np.ndarray]) -> None:
    import io

    import numpy as np

    from brainsmith.errors import ConfigurationError
    from brainsmith.storage import write_atomic

    content = io.BytesIO()
    if path.suffix == ".npz":
        np.savez(content, **arrays)  # type: ignore[arg-type]
    elif len(arrays) == 1:
        np.save(content, next(iter(arrays.values())))
    else:
        raise ConfigurationError(
            f"the model has the outputs {', '.join(arrays)}", where=str(path), hint="name a .npz"
        )
    write_atomic(path, content.getvalue())


def _show(
    board: BoardAccelerator,
    status: Status,
    arrays: dict[str, np.ndarray],
    output: Path | None,
    count: int,
    simulate: bool,
    console: Console,
) -> None:
    clock = status.clock_hz / 1e6
    console.print(
        f"{count} frames on {board.deployment.target}{', simulated' if simulate else ''}: "
        f"{board.frames_per_second:.0f} frames/s {'in simulation' if simulate else 'over the line'}"
        f", {status.cycles} cycles a frame at {clock:g} MHz"
    )
    if board.line.resent:
        console.print(f"{board.line.resent} requests were lost and sent again")
    if output is not None:
        console.print(f"outputs: {output}", markup=False)
        return
    for name, array in arrays.items():
        if array.size <= _SHOWN:
            console.print(f"{name}: {' '.join(map(str, array.ravel().tolist()))}", markup=False)
        else:
            console.print(f"{name}: {array.shape}, --output FILE.npy keeps it", markup=False)


def flash(build: Build, json: shared.Json = False, debug: shared.Debug = False) -> Outcome:
    """Load the bitstream of BUILD onto its board.

    By openFPGALoader; where it is not there, the command to type is told.
    """
    from brainsmith.compiler.deployment import Deployment
    from brainsmith.errors import ConfigurationError
    from brainsmith.toolchains.loader import load_bitstream

    deployment = Deployment.load(build)
    if deployment.bitstream is None:
        raise ConfigurationError(
            "the build has no bitstream", where=str(build), hint="compile without --no-place"
        )
    if not deployment.loader:
        raise ConfigurationError(
            f"nothing is known to load {deployment.target}",
            where=str(build),
            hint=f"load {build / deployment.bitstream} with the board's own tool",
        )
    bitstream = build / deployment.bitstream
    said = load_bitstream(bitstream.resolve(), deployment.loader)
    value = {"success": True, "bitstream": str(bitstream), "target": deployment.target}

    def show(console: Console) -> None:
        console.print(said, markup=False)
        console.print(f"{deployment.target} carries {bitstream}", markup=False)

    return Outcome(value, show)


def simulate_board(
    build: Build,
    netlist: Annotated[
        bool, typer.Option("--netlist", help="What was synthesized, instead of the sources.")
    ] = False,
    json: shared.Json = False,
    debug: shared.Debug = False,
) -> Outcome:
    """Simulate the whole board of BUILD, until Ctrl-C.

    It lies behind a pseudo-terminal, whose device is what a board's serial device is:
    `brainsmith run BUILD --port DEVICE`.
    """
    from brainsmith.cli.progress import watch
    from brainsmith.compiler.on_board import BoardSimulation

    with watch() as progress:
        progress.step("build the simulation")
        simulation = BoardSimulation.of(build, netlist=netlist)
    return _Simulated({}, lambda console: None, simulation=simulation, build=build)


@dataclass(frozen=True)
class _Simulated(Outcome):
    """A board that runs until it is interrupted."""

    simulation: BoardSimulation | None = None
    build: Path = Path()

    def present(self, stream: TextIO, as_json: bool) -> int:
        """Says where the board is, then waits."""
        from brainsmith.errors import ToolError

        assert self.simulation is not None
        target = self.simulation.deployment.target
        with self.simulation.running() as board:
            said = f"{target} in simulation: {board.port}"
            if as_json:
                # In one line, so that a reader knows when it is whole.
                said = json_module.dumps({"success": True, "target": target, "port": board.port})
            stream.write(f"{said}\n")
            stream.flush()
            ask = f"brainsmith run {self.build} --port {board.port} --input X.npy"
            sys.stderr.write(f"{ask}\nCtrl-C ends it\n")
            try:
                status = board.process.wait()
            except KeyboardInterrupt:
                return 0
            said = board.said()
        raise ToolError(f"the simulation ended with exit status {status}: {said}", where=target)
