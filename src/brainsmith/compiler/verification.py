"""Verification: what the hardware computes is the compiled integer model (exact), and that agrees
with the original model (faithful). A difference is an error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from brainsmith.compiler.agreement import FaithfulReport
from brainsmith.compiler.codegen import Rtl
from brainsmith.compiler.faithful import check_faithful
from brainsmith.compiler.fifo import StreamModel
from brainsmith.compiler.frontend import FrontEnd
from brainsmith.compiler.host import Frames, Runner, run_design
from brainsmith.compiler.layers import LayerRun, Told, check_each, check_together
from brainsmith.compiler.mapping import resolve
from brainsmith.compiler.options import Extent
from brainsmith.compiler.progress import Progress, Silent, TimeLeft
from brainsmith.compiler.reference import reference
from brainsmith.compiler.simulate import (
    NetworkRun,
    OnShare,
    Tally,
    check_partition,
    simulation_of,
    steady_frames,
)
from brainsmith.compiler.vectors import Vectors
from brainsmith.report.records import AgreementRecord, CheckRecord, Scope, VerificationRecord
from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.process import BuildLog
from brainsmith.toolchains.simulation import Simulation


@dataclass
class Evidence:
    """What the verification found, piece by piece.

    Attributes:
        frames: how many were driven.
        origin: where they come from, in words.
        values: the reference of every value, (frames, elements) for integers.
        networks: the simulation of each partition, by its name.
        layers: each layer alone, or a slice of it.
        netlist: one frame on the synthesised netlist, by partition; empty where none was run.
        faithful: against the original model.
        expected: the final outputs against those that the user gave.
    """

    frames: int
    origin: str
    values: Frames
    simulations: Mapping[str, Simulation] = field(default_factory=dict)
    networks: dict[str, NetworkRun] = field(default_factory=dict)
    layers: list[LayerRun] = field(default_factory=list)
    netlist: dict[str, Tally] = field(default_factory=dict)
    faithful: FaithfulReport | None = None
    expected: Tally | None = None


def reference_runner() -> Runner:
    """Runs a partition by the operations' references."""
    return lambda partition, inputs: reference(partition, inputs)


def verify(
    front: FrontEnd,
    rtls: Sequence[Rtl],
    vectors: Vectors,
    *,
    extent: Extent = "whole",
    seed: int,
    cache: BuildCache,
    log: BuildLog,
    progress: Progress | None = None,
) -> Evidence:
    """Simulates the design and its layers, and compares with both halves of the truth.

    Args:
        front: the design and both models.
        rtls: the partitions as SystemVerilog.
        vectors: the frames, and what is expected for them.
        extent: "whole": every partition, and all layers alone; "layers": each layer alone.
        progress: hears of `parts_of(rtls, extent)` parts, and of the frames in each.

    Raises:
        ToolError: the simulation could not be built or crashed.
        VerificationError: it hangs, or a kernel breaks the wire contract.
    """
    progress = progress or Silent()
    values = run_design(front.design, front.compiled, vectors.inputs, reference_runner())
    evidence = Evidence(vectors.frames, vectors.origin, values)
    if extent == "layers":
        told = _told_of_layers(progress)
        evidence.layers = check_each(rtls, values, seed, cache, log, told)
    else:
        _check_whole(evidence, front, rtls, seed, cache, log, progress)
    progress.advance(0, "comparison with the original model")
    evidence.faithful = check_faithful(
        front.original,
        front.compiled,
        vectors.inputs,
        _integers(front, values),
        given=not vectors.generated,
    )
    if vectors.expected is not None:
        evidence.expected = _compare_outputs(values, vectors.expected)
    return evidence


def _check_whole(
    evidence: Evidence,
    front: FrontEnd,
    rtls: Sequence[Rtl],
    seed: int,
    cache: BuildCache,
    log: BuildLog,
    progress: Progress,
) -> None:
    simulations = {}
    for rtl in rtls:
        name = rtl.partition.name
        simulations[name] = simulation_of(rtl, cache, log)
        evidence.networks[name] = check_partition(
            simulations[name], rtl, front.models[name], _flat(rtl, evidence.values), seed + 1,
            _told_of_frames(name, progress),
        )  # fmt: skip
        progress.advance(1)
    evidence.simulations = simulations
    evidence.layers = check_together(rtls, evidence.values, seed, cache, log)
    progress.advance(1)


def parts_of(rtls: Sequence[Rtl], extent: Extent) -> int:
    """How many parts `verify` tells of: each partition and the layers together, or each layer."""
    if extent == "layers":
        return sum(len(rtl.partition.layers) for rtl in rtls)
    return len(rtls) + 1


def _told_of_frames(name: str, progress: Progress) -> OnShare:
    """Tells of the frames that have come out of a simulation, and of the time left."""
    left = TimeLeft()
    return lambda done, total, share: progress.advance(
        0, f"simulation of {name}, {done} of {total} frames{left.said(share)}"
    )


def _told_of_layers(progress: Progress) -> Told:
    """Tells of the layers that are done, and of the time left."""
    left = TimeLeft()
    return lambda done, total, name: progress.advance(
        1, f"layer {name} alone, {done} of {total} layers{left.said(done / total)}"
    )


def record(evidence: Evidence | None, models: Mapping[str, StreamModel]) -> VerificationRecord:
    """The verdict as the report shows it; without evidence nothing was verified.

    Args:
        models: of each partition.
    """
    if evidence is None:
        return VerificationRecord(None, 0, 0, None, "none")
    checks = [*_checks(evidence, models), _cycles_check(evidence)]
    tallies = [run.tally + run.stalled_tally for run in evidence.networks.values()]
    tallies += [run.tally for run in evidence.layers]
    tallies += list(evidence.netlist.values())
    wrong = sum(tally.wrong for tally in tallies)
    faithful = evidence.faithful
    agreement = None
    if faithful is not None:
        agreement = AgreementRecord(
            faithful.agreement, faithful.largest_difference, faithful.agreement_within_rounding
        )
    return VerificationRecord(
        bit_exact=wrong == 0,
        vectors=evidence.frames,
        mismatches=wrong,
        agreement=agreement,
        scope=_scope(evidence),
        checks=tuple(checks),
        faithful=_figures(faithful) if faithful is not None else None,
    )


def _scope(evidence: Evidence) -> Scope:
    if evidence.networks:
        return "network"
    return "slices" if any(layer.part for layer in evidence.layers) else "layers"


def _checks(evidence: Evidence, models: Mapping[str, StreamModel]) -> list[CheckRecord]:
    checks = []
    for name, run in evidence.networks.items():
        frames = f"{run.frames} frames back to back ({evidence.origin})"
        if run.frames > evidence.frames:
            frames = (
                f"{run.frames} frames back to back ({evidence.frames} {evidence.origin}, and some "
                "of them again to fill the pipeline)"
            )
        checks.append(_tally_check(f"{name}: {frames}", run.tally))
        checks.append(_tally_check(f"{name}: every port stalled at random", run.stalled_tally))
        checks.append(_interval_check(name, run, models[name]))
    if evidence.faithful is not None:
        checks.append(
            CheckRecord(
                "agrees with the original model", evidence.faithful.ok, _said(evidence.faithful)
            )
        )
    if evidence.expected is not None:
        checks.append(_expected_check(evidence.expected))
    checks += [_tally_check(_said_of(layer), layer.tally) for layer in evidence.layers]
    for name, tally in evidence.netlist.items():
        checks.append(_tally_check(f"{name}: one frame on the synthesised netlist", tally))
    return checks


def _said_of(layer: LayerRun) -> str:
    """What was driven of a layer, and with what."""
    cut = ", ".join(f"{name} {size} of {whole}" for name, (size, whole) in layer.part.items())
    what = f" (a slice: {cut})" if cut else ""
    with_what = "worst cases included"
    if layer.real:
        with_what = f"{layer.frames} frames, {layer.real} of them as the network leads to"
    return f"{layer.node} alone{what}, {with_what}{', stalled too' if layer.stalled else ''}"


def _figures(report: FaithfulReport) -> dict[str, float | int | str | bool]:
    return {
        "frames": report.frames,
        "codes": report.codes,
        "ambiguous": report.ambiguous,
        "errors": report.errors,
        "agreement": report.agreement,
        "largest_difference": report.largest_difference,
        "unchecked": len(report.unchecked),
    }


def _said(report: FaithfulReport) -> str:
    elements = sum(layer.elements for layer in report.layers)
    said = f"{elements} values in {len(report.layers)} layers: {report.errors} differ"
    if report.ambiguous:
        said += f", {report.ambiguous} of {report.codes} codes lie where float32 is ambiguous"
    first = next((layer for layer in report.layers if layer.first_error is not None), None)
    if first is not None and (error := first.first_error) is not None:
        said += (
            f"; first: {first.original}, frame {error.frame}, element {error.element}: "
            f"{error.compiled:g}, the original gives {error.original:g}"
        )
    if report.unchecked:
        said += (
            f"; not compared, since no integers are known for them: {', '.join(report.unchecked)}"
        )
    return said


def _integers(front: FrontEnd, values: Frames) -> dict[str, np.ndarray]:
    """The graph's outputs, and every integer value that stands for one of the original model.

    Those that the host computes are integers in floats, and some are views of others.
    """
    integers = {
        value.name or "": values[value.name or ""] for value in front.compiled.graph.outputs
    }
    for name in front.compiled.origins:
        array = values.get(resolve(front.design.alias, name))
        if array is None or not np.isfinite(array).all():
            continue
        if not np.issubdtype(array.dtype, np.integer):
            whole = np.rint(array).astype(np.int64)
            if not np.array_equal(whole, array):
                continue
            array = whole
        integers[name] = array.reshape(len(array), *_shape(front, name))
    return integers


def _shape(front: FrontEnd, name: str) -> tuple[int, ...]:
    return front.compiled.shape(front.compiled.value(name))


def _tally_check(name: str, tally: Tally) -> CheckRecord:
    detail = f"{tally.compared} elements, {tally.wrong} differ"
    return CheckRecord(
        name, tally.wrong == 0, f"{detail}: {tally.first}" if tally.first else detail
    )


def _expected_check(tally: Tally) -> CheckRecord:
    detail = (
        f"{tally.compared - tally.wrong} of {tally.compared} outputs equal those that were given"
    )
    return CheckRecord(
        "gives the expected outputs",
        tally.wrong == 0,
        f"{detail}; {tally.first}" if tally.first else detail,
    )


def _interval_check(name: str, run: NetworkRun, model: StreamModel) -> CheckRecord:
    measured = "it varies" if run.interval is None else _cycles(run.interval)
    return CheckRecord(
        f"{name}: no stall, one frame every {_cycles(model.interval)}",
        run.interval == model.interval,
        f"measured {measured} over the last {steady_frames(model.interval)} frames",
    )


def _cycles(count: int) -> str:
    return "cycle" if count == 1 else f"{count} cycles"


def _cycles_check(evidence: Evidence) -> CheckRecord:
    """Whether every layer alone took the cycles that its kernel's models promise."""
    wrong = [
        f"{layer.node}: an interval of {layer.interval} and a latency of {layer.latency} cycles, "
        f"its kernel says {layer.expected[0]} and {layer.expected[1]}"
        for layer in evidence.layers
        if (layer.interval, layer.latency) != layer.expected
    ]
    said = "; ".join(wrong) or f"{len(evidence.layers)} layers, as their kernels say"
    return CheckRecord("cycles of each layer alone", not wrong, said)


def _flat(rtl: Rtl, values: Frames) -> dict[str, np.ndarray]:
    ports = (*rtl.partition.inputs, *rtl.partition.outputs)
    return {port.value: values[port.value].reshape(-1, port.size) for port in ports}


def _compare_outputs(values: Frames, expected: Frames) -> Tally:
    """Final outputs against the user's: integers equal, floats within float32's rounding."""
    total = Tally()
    for name, want in expected.items():
        got = np.asarray(values[name]).reshape(want.shape)
        if np.issubdtype(want.dtype, np.integer) or np.issubdtype(got.dtype, np.integer):
            wrong = got != want
        else:
            wrong = ~np.isclose(got, want, rtol=1e-5, atol=1e-6)
        where = np.argwhere(wrong)
        first = ""
        if len(where):
            at = tuple(map(int, where[0]))
            first = f"{name}{list(at)}: the model gives {got[at]}, expected {want[at]}"
        total += Tally(want.size, len(where), first)
    return total
