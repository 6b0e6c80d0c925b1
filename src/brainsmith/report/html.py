"""report.html: one self-contained page, drawn from the records.

No network, no fonts, no libraries: the style, the script and the drawings are in the file. Names
come from untrusted models, so everything is escaped, and a content security policy allows no
script but the page's own.
"""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path
from urllib.parse import quote

from brainsmith.report import charts, formatting, views
from brainsmith.report.drawing import draw_across, draw_down
from brainsmith.report.graph import lay_out
from brainsmith.report.png import png
from brainsmith.report.records import BuildReport, PictureRecord
from brainsmith.storage import write_atomic

_TEMPLATES = Path(__file__).parent / "templates"


def render(report: BuildReport, folder: Path | None = None) -> str:
    """The page as text; artifacts inside `folder`, where the page will lie, become links."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["figure"] = formatting.figure
    environment.filters["shorten"] = formatting.shorten
    environment.filters["folding"] = formatting.folding
    environment.filters["short_kernel"] = views.short_kernel
    environment.filters["worst_element"] = views.worst_element
    environment.filters["data_url"] = _data_url
    environment.filters["describe"] = views.describe
    environment.filters["describe_stream"] = views.describe_stream
    chart = charts.cycle_chart(report)
    script = (_TEMPLATES / "report.js").read_text(encoding="utf-8")
    return environment.get_template("report.html.j2").render(
        report=report,
        charts=charts,
        views=views,
        chart=chart,
        layers={bar.layer.node: bar for bar in chart.bars},
        hosts={node.node: node.reason for node in report.host_nodes},
        drawings=_drawings(report),
        artifacts=_artifacts(report, folder),
        style=Markup((_TEMPLATES / "report.css").read_text(encoding="utf-8")),
        script=Markup(script),
        script_digest=_digest(script),
    )


def write_html(report: BuildReport, path: Path) -> None:
    """Write the page to `path`, whole or not at all.

    A build is written in one folder and then moved to its place: where the artifact "report" says
    that the page will lie, links are made for that place.

    Raises:
        StorageError: the file cannot be written.
    """
    place = Path(report.artifacts.get("report", path))
    write_atomic(path, render(report, place.parent), parents=True)


def _drawings(report: BuildReport) -> dict[str, object]:
    """The graph for a wide and for a narrow window; nothing where there is no graph."""
    if not report.layers and not report.streams:
        return {}
    layout = lay_out([layer.node for layer in report.layers], report.streams)
    return {"across": draw_across(layout), "down": draw_down(layout)}


def _artifacts(report: BuildReport, folder: Path | None) -> list[tuple[str, str, str | None]]:
    """(name, path as shown, link or None)."""
    shown = []
    for name, path in report.artifacts.items():
        link, text = None, path
        if folder is not None:
            relative = os.path.relpath(path, folder)
            if not relative.startswith(os.pardir):
                link, text = quote(Path(relative).as_posix()), relative
        shown.append((name, text, link))
    return shown


def _data_url(picture: PictureRecord) -> str:
    return f"data:image/png;base64,{base64.b64encode(png(picture.pixels)).decode()}"


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
