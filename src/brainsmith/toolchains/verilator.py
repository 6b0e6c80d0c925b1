"""Builds simulations: a Verilator model and the C++ that drives it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from brainsmith.sandbox.levels import Level
from brainsmith.toolchains import tools
from brainsmith.toolchains.cache import BuildCache, digest
from brainsmith.toolchains.confined import Confined
from brainsmith.toolchains.hdl import Hdl, Source, Unit, write_sources
from brainsmith.toolchains.process import BuildLog, Stop, run
from brainsmith.toolchains.simulation import EXECUTABLE, Simulation
from brainsmith.toolchains.tools import Tool
from brainsmith.toolchains.wrapper import TOP, Layout, wrapper

_FST = Path(__file__).parent / "bench" / "fst"
_PREFIX = "Vbench"
_RUNTIME = ("verilated.cpp", "verilated_threads.cpp")
_RUNTIME_WAVE = ("verilated_fst_c.cpp",)
# A network of 14 000 LUTs builds in 16 s of processor time, 25 s with -O2, which simulates 5 %
# faster, and 12 s with -O0, which takes twice as long to simulate.
_OPTIMIZE = "-O1"
_FLAGS = ("-std=c++17", "-w", "-fcf-protection=none", "-DVL_TIME_CONTEXT")
_VERILATOR_OPTIONS = (
    "--cc",
    "-O3",
    "--assert",
    "--no-timing",
    "-Wno-fatal",
    "--x-initial",
    "unique",
    "--output-split",
    "20000",
)
# Generated C++ is compiled in one piece up to this size, as headers cost more than code.
_ONE_PIECE = 300_000
_PIECE = 1_000_000
_COMPILERS = 2
_TIMEOUT = 1800.0
_HEADER = "prelude.h"


@dataclass(frozen=True)
class Driver:
    """The C++ around a model.

    Args:
        top: the model's module.
        folder: where its files are.
        glue: the file that knows the model's ports, compiled with every model.
        library: files that do not, compiled once.
    """

    top: str
    folder: Path
    glue: str
    library: tuple[str, ...] = ()

    @property
    def files(self) -> list[tuple[str, str]]:
        """The names of its files without the glue, each with the digest of its contents."""
        paths = [*self.folder.glob("*.h"), *(self.folder / name for name in self.library)]
        return [(path.name, digest(path.read_bytes())) for path in sorted(paths)]


STREAMS = Driver(TOP, Path(__file__).parent / "bench", "dut.cpp", ("bench.cpp",))


def build_simulation(
    hdl: Hdl,
    units: Sequence[Unit],
    *,
    cache: BuildCache,
    log: BuildLog | None = None,
    wave: bool = False,
    options: Sequence[str] = (),
) -> Simulation:
    """Compiles `units`, each with streams of its own, into one simulation.

    The contents of memory images are read at run time, so they do not cause another build.

    Args:
        wave: build it so that runs can write FST waves (slower).
        options: further options of Verilator.

    Raises:
        ToolError: a tool is missing, or the sources do not compile; with what the tool said.
        StorageError: the disk is full.
    """
    layout = Layout.of(units)
    whole = Hdl((*hdl.sources, Source(f"{TOP}.sv", wrapper(units, layout))), hdl.files)
    executable = build_model(whole, STREAMS, cache=cache, log=log, wave=wave, options=options)
    return Simulation(executable, tuple(units), layout, hdl.files, wave, log, hdl.confined)


def build_model(
    hdl: Hdl,
    driver: Driver,
    *,
    cache: BuildCache,
    log: BuildLog | None = None,
    wave: bool = False,
    options: Sequence[str] = (),
) -> Path:
    """Compiles sources with a driver; returns the program, which reads memory images where it runs.

    Raises:
        ToolError: a tool is missing, or the sources do not compile; with what the tool said.
        StorageError: the disk is full.
    """
    verilator, compiler = tools.verilator(), tools.compiler()
    runtime = _runtime(verilator, compiler, driver, wave, cache, log)
    build = _Build(verilator, compiler, driver, runtime, wave, tuple(options), log, hdl.confined)
    key = {
        "what": "simulation",
        "sources": [(source.name, digest(source.text)) for source in hdl.sources],
        "dut": digest((driver.folder / driver.glue).read_bytes()),
        "runtime": runtime.name,
        "options": [*_VERILATOR_OPTIONS, *options],
    }
    entry = cache.fetch(key, lambda folder: build.make(hdl.sources, folder))
    if entry.cached and log is not None:
        log.cached(verilator, "simulation")
    return entry.path / EXECUTABLE


@dataclass(frozen=True)
class _Build:
    """One build of a model against a compiled run-time library."""

    verilator: Tool
    compiler: Tool
    driver: Driver
    runtime: Path
    wave: bool
    options: tuple[str, ...]
    log: BuildLog | None
    level: Level

    def make(self, sources: Iterable[Source], folder: Path) -> None:
        work = folder / "work"
        work.mkdir()
        self._verilate(sources, work)
        pieces = [self._piece(work, index, names) for index, names in enumerate(_pieces(work))]
        how = self._confined(work)
        _compile_all(self.compiler, pieces, work, "simulation", self.log, how)
        objects = [f"{name}.o" for name, _ in pieces]
        libraries = [str(path) for path in sorted(self.runtime.glob("*.o"))]
        arguments = [*objects, *libraries, "-o", EXECUTABLE, "-pthread"]
        purpose = "link simulation"
        run(self.compiler, arguments, purpose=purpose, cwd=work, confined=how, log=self.log)
        (work / EXECUTABLE).chmod(0o755)  # a confined linker may not
        (work / EXECUTABLE).rename(folder / EXECUTABLE)
        shutil.rmtree(work)

    def _confined(self, work: Path) -> Confined:
        include = Path(self.verilator.env["VERILATOR_ROOT"])
        return Confined(self.level, work, (include, self.driver.folder, self.runtime))

    def _verilate(self, sources: Iterable[Source], work: Path) -> None:
        names = write_sources(sources, work / "src")
        top = self.driver.top
        arguments = [*_VERILATOR_OPTIONS, *self.options, "--prefix", _PREFIX, "--top-module", top]
        arguments += ["--Mdir", ".", "-Isrc", *(f"src/{name}" for name in names)]
        if self.wave:
            arguments.append("--trace-fst")
        run(
            self.verilator,
            arguments,
            purpose="simulation",
            cwd=work,
            confined=self._confined(work),
            timeout=_TIMEOUT,
            log=self.log,
        )

    def _piece(self, work: Path, index: int, names: Sequence[str]) -> tuple[str, list[str]]:
        """Writes a C++ file that includes `names`; returns its name and the compiler's flags."""
        name = f"piece{index}"
        glue = self.driver.folder / self.driver.glue
        bench = [f'#include "{glue}"'] if index == 0 else []
        includes = [f'#include "{file}"' for file in names]
        (work / f"{name}.cpp").write_text("\n".join([*includes, *bench]) + "\n")
        slow = all("__Slow" in file for file in names)
        flags = list(_flags(self.verilator, self.wave))
        if slow:
            return name, ["-O0", *flags, "-I.", f"-I{self.driver.folder}"]
        prelude = self.runtime / _HEADER
        folders = ["-I.", f"-I{self.driver.folder}"]
        return name, [_OPTIMIZE, *flags, "-include", str(prelude), *folders]


def _pieces(work: Path) -> list[list[str]]:
    """The generated files in groups, each compiled as one; those that run once come last."""
    sizes = {path.name: path.stat().st_size for path in sorted(work.glob(f"{_PREFIX}*.cpp"))}
    if sum(sizes.values()) <= _ONE_PIECE:
        return [list(sizes)]
    slow = [name for name in sizes if "__Slow" in name]
    fast = [name for name in sizes if "__Slow" not in name]
    return [*_groups(fast, sizes), *_groups(slow, sizes)]


def _groups(names: Sequence[str], sizes: Mapping[str, int]) -> list[list[str]]:
    """`names` in groups of about equal size, as many as compilers run and more if they are big."""
    total = sum(sizes[name] for name in names)
    count = min(len(names), max(_COMPILERS, -(-total // _PIECE)))
    groups: list[list[str]] = [[] for _ in range(count)]
    filled = [0] * count
    for name in sorted(names, key=lambda name: -sizes[name]):
        least = filled.index(min(filled))
        groups[least].append(name)
        filled[least] += sizes[name]
    return groups


def _compile_all(
    compiler: Tool,
    pieces: Sequence[tuple[str, list[str]]],
    cwd: Path,
    purpose: str,
    log: BuildLog | None,
    confined: Confined | None = None,
) -> None:
    """Compiles `<name>.cpp` to `<name>.o` for each piece, some at a time."""
    stop = Stop()

    def compile_piece(piece: tuple[str, list[str]]) -> None:
        name, flags = piece
        arguments = [*flags, "-c", f"{name}.cpp", "-o", f"{name}.o"]
        run(
            compiler, arguments, purpose=purpose, cwd=cwd, confined=confined, timeout=_TIMEOUT,
            log=log, stop=stop,
        )  # fmt: skip

    with ThreadPoolExecutor(_COMPILERS) as pool:
        futures = [pool.submit(compile_piece, piece) for piece in pieces]
        try:
            for future in futures:
                future.result()
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise


def _flags(verilator: Tool, wave: bool) -> tuple[str, ...]:
    include = Path(verilator.env["VERILATOR_ROOT"]) / "include"
    traced = int(wave)
    return (
        *_FLAGS,
        f"-I{include}",
        f"-I{include / 'vltstd'}",
        f"-DVM_TRACE={traced}",
        f"-DVM_TRACE_FST={traced}",
        f"-DBRAINSMITH_WAVE={traced}",
    )


def _runtime(
    verilator: Tool,
    compiler: Tool,
    driver: Driver,
    wave: bool,
    cache: BuildCache,
    log: BuildLog | None,
) -> Path:
    """The folder with Verilator's run-time library, the driver's and a precompiled header."""
    flags = _flags(verilator, wave)
    waves = [(path.name, digest(path.read_bytes())) for path in sorted(_FST.glob("*"))]
    key = {
        "what": "simulation runtime",
        "verilator": verilator.identity,
        "compiler": compiler.identity,
        "flags": [_OPTIMIZE, *flags],
        "driver": [*driver.files, *(waves if wave else [])],
    }
    include = Path(verilator.env["VERILATOR_ROOT"]) / "include"
    units = [driver.folder / name for name in driver.library]
    units += [include / name for name in (_RUNTIME + _RUNTIME_WAVE if wave else _RUNTIME)]

    def make(folder: Path) -> None:
        pieces = []
        for source in units:
            (folder / f"{source.stem}.cpp").write_text(f'#include "{source}"\n')
            pieces.append((source.stem, ["-O2", *flags, f"-I{driver.folder}", f"-I{_FST}"]))
        _compile_all(compiler, pieces, folder, "simulation runtime", log)
        _precompile(compiler, flags, folder, wave, log)

    return cache.fetch(key, make).path


def _precompile(
    compiler: Tool, flags: Sequence[str], folder: Path, wave: bool, log: BuildLog | None
) -> None:
    headers = ["verilated.h", "verilated_fst_c.h"] if wave else ["verilated.h"]
    (folder / _HEADER).write_text("".join(f'#include "{header}"\n' for header in headers))
    arguments = [_OPTIMIZE, *flags, "-x", "c++-header", _HEADER, "-o", f"{_HEADER}.gch"]
    run(compiler, arguments, purpose="simulation runtime", cwd=folder, log=log)
