"""What a build leaves on disk."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from brainsmith.compiler.codegen import Rtl
from brainsmith.compiler.deployment import FILE as BOARD
from brainsmith.compiler.deployment import Deployment
from brainsmith.compiler.metrics import with_artifacts
from brainsmith.compiler.output import failed_log
from brainsmith.errors import StorageError
from brainsmith.model.model import Model
from brainsmith.report.html import write_html
from brainsmith.report.json_report import write_json
from brainsmith.report.records import BuildReport
from brainsmith.sandbox.record import Ledger
from brainsmith.toolchains.hdl import write_files, write_sources
from brainsmith.toolchains.process import BuildLog

if TYPE_CHECKING:
    from brainsmith.compiler.physical import Physical

RTL, FILES, MODEL, FOLDING, LOG = "rtl", "files.f", "model.onnx", "folding.json", "build.log"
REPORT, JSON = "report.html", "report.json"


def write_rtl(rtls: Sequence[Rtl], folder: Path) -> None:
    """The sources, the memory files and a file list (`rtl/files.f`, tops last)."""
    target = folder / RTL
    target.mkdir()
    names: dict[str, None] = {}
    for rtl in rtls:
        names |= dict.fromkeys(write_sources(rtl.hdl.sources, target))
        write_files(rtl.hdl.files, target)
    (target / FILES).write_text("".join(f"{name}\n" for name in names))


def write(
    folder: Path,
    place: Path,
    report: BuildReport,
    model: Model,
    physical: Physical | None,
    deployment: Deployment | None,
    log: BuildLog,
    ledger: Ledger,
) -> dict[str, Path]:
    """Writes the rest of a build into `folder`, which will stand at `place`; returns the paths
    there, by name."""
    model.save(folder / MODEL)
    used = {
        layer.node: {**layer.folding, **{str(k): v for k, v in layer.params.items()}}
        for layer in report.layers
    }
    (folder / FOLDING).write_text(json.dumps(used, indent=2) + "\n")
    names = {"report": REPORT, "json": JSON, "rtl": RTL, "model": MODEL}
    names |= {"folding": FOLDING, "log": LOG}
    if physical is not None:
        from brainsmith.compiler.physical import save

        names |= save(physical, folder)
    if deployment is not None:
        deployment.model_copy(update={"bitstream": names.get("bitstream")}).save(folder)
        names["board"] = BOARD
    paths = {name: place / file for name, file in names.items()}
    report = with_artifacts(report, paths)
    write_json(report, folder / JSON)
    write_html(report, folder / REPORT)
    log.write(folder / LOG, ledger.printed())
    return paths


def keep_log(log: BuildLog, ledger: Ledger, place: Path) -> None:
    """Keeps the log of a build that failed, beside the place where it would stand."""
    with contextlib.suppress(StorageError):  # the failure itself is what must be told
        log.write(failed_log(place), ledger.printed())
