"""report.html: one file, whole, safe with names of untrusted models."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from brainsmith.report.charts import accuracy_bars, stacks
from brainsmith.report.html import render, write_html
from brainsmith.report.png import png
from brainsmith.report.records import (
    BuildReport,
    CheckRecord,
    Diagnostic,
    HostRecord,
    LayerAccuracyRecord,
    Metric,
    PictureRecord,
    QuantizationRecord,
    SandboxRecord,
    StreamRecord,
    TopOneRecord,
    VerificationRecord,
    WorstElementRecord,
)

VOID = {"meta", "link", "img", "br", "input"}


class Page(HTMLParser):
    """The text, the tags and the attributes; fails where tags do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def test_the_page_shows_what_a_person_looks_for(tfc: BuildReport) -> None:
    text = Page(render(tfc)).text
    for shown in ("tfc-w1a1.onnx", "Bit-exact", "1.56", "131.6", "PE 16 · SIMD 49", "target 66",
                  "bottleneck", "572", "verilator", "its input is not an integer", "cached",
                  "the first layer's weights are in block RAM"):  # fmt: skip
        assert shown in text


def test_nothing_is_loaded_from_anywhere(tfc: BuildReport) -> None:
    page = Page(render(tfc))
    assert not {"link", "img", "iframe", "object"} & set(page.tags)
    for _, name, value in page.attributes:
        assert name not in ("src", "srcset", "xlink:href")
        if name == "href":
            assert value.startswith("#")
        if name == "style":
            assert "url(" not in value
    assert "@import" not in render(tfc)


def test_the_policy_allows_the_script_that_is_there(tfc: BuildReport) -> None:
    text = render(tfc)
    found = re.search(r"<script>(.*)</script>", text, re.DOTALL)
    assert found is not None
    digest = base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()
    assert f"script-src &#39;sha256-{digest}&#39;" in text or f"'sha256-{digest}'" in text


def test_a_heading_with_nothing_under_it_is_left_out(tfc: BuildReport) -> None:
    assert "<h2>Tools</h2>" in render(tfc)
    bare = render(dataclasses.replace(tfc, tools=(), artifacts={}))
    assert "<h2>Tools</h2>" not in bare and "<h2>Artifacts</h2>" not in bare


def test_pictures_are_in_the_page_itself(tfc: BuildReport) -> None:
    grey = np.full((12, 10, 1), 128, np.uint8)
    shown = (
        PictureRecord("image", "input", grey, "0 to 1"),
        PictureRecord("scores", "difference", grey * 0, "0 of 120 elements differ"),
    )
    page = Page(render(dataclasses.replace(tfc, pictures=shown)))
    sources = [value for tag, name, value in page.attributes if (tag, name) == ("img", "src")]
    assert sources == [
        f"data:image/png;base64,{base64.b64encode(png(picture.pixels)).decode()}"
        for picture in shown
    ]
    assert "Input image 10 \u00d7 12, 0 to 1" in page.text
    assert "Difference to the reference 10 \u00d7 12, 0 of 120 elements differ" in page.text


def test_both_ratios_of_a_quantized_layer_are_drawn_on_one_scale(tfc: BuildReport) -> None:
    worst = WorstElementRecord(0, (0, 1), 1.5, 1.0, 0.5)
    layers = (
        LayerAccuracyRecord("first", "a", "UINT4", 20.0, 40.0, worst),
        LayerAccuracyRecord("second", "b", "UINT4", 10.0, 12.0, worst),
    )
    record = QuantizationRecord("x.npy", 3, 9, layers, (TopOneRecord("scores", 2, 3),))
    assert [(bar.share, bar.share_alone) for bar in accuracy_bars(record)] == [
        (0.5, 1.0),
        (0.25, 0.3),
    ]
    page = Page(render(dataclasses.replace(tfc, quantization=record)))
    assert "loses most: second" in page.text
    assert "the same class in 2 of 3 cases" in page.text


ATTACK = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>"


def test_names_of_an_untrusted_model_stay_text(tfc: BuildReport) -> None:
    layers = tuple(
        dataclasses.replace(layer, node=f"{ATTACK}{index}", operation=ATTACK, kernel=ATTACK)
        for index, layer in enumerate(tfc.layers)
    )
    report = dataclasses.replace(
        tfc,
        model=ATTACK,
        layers=layers,
        streams=(StreamRecord(layers[0].node, ATTACK, 1, 1),),
        host_nodes=(HostRecord(ATTACK, ATTACK, ATTACK),),
        diagnostics=(Diagnostic("error", ATTACK, ATTACK, ATTACK),),
        metrics={**tfc.metrics, ATTACK: Metric(1, ATTACK, "measured", ATTACK)},
        artifacts={ATTACK: ATTACK},
    )
    page = Page(render(report, Path("/")))
    assert page.tags.count("script") == 1
    assert "img" not in page.tags
    assert not any(name.startswith("on") for _, name, _ in page.attributes)
    assert ATTACK in page.text


@pytest.mark.parametrize("count", [0, 1, 4, 200])
def test_any_number_of_layers(tfc: BuildReport, count: int) -> None:
    layers = tuple(dataclasses.replace(tfc.layers[1], node=f"MatMul_{i}") for i in range(count))
    report = dataclasses.replace(tfc, layers=layers, streams=())
    page = Page(render(report))
    rows = [value for tag, name, value in page.attributes if tag == "tr" and name == "id"]
    assert rows == [f"layer-{i}" for i in range(count)]


def test_a_build_that_verified_and_placed_nothing(tfc: BuildReport) -> None:
    report = dataclasses.replace(
        tfc,
        success=False,
        verification=VerificationRecord(None, 0, 0, None, "none"),
        metrics={"fmax_mhz": Metric(None, "MHz", "measured", "nothing was placed")},
        utilisation=(), steps=(), tools=(), target_fps=None,
    )  # fmt: skip
    text = Page(render(report)).text
    assert "Not verified" in text
    assert "nothing was placed" in text
    assert "did not succeed" in text
    assert "Bit-exact" not in text


def test_exact_results_do_not_hide_a_failed_check(tfc: BuildReport) -> None:
    checks = (*tfc.verification.checks, CheckRecord("one frame every 64 cycles", False, "936"))
    failed = dataclasses.replace(tfc.verification, checks=checks)
    page = render(dataclasses.replace(tfc, success=False, verification=failed))
    assert "a check failed" in page
    assert 'class="verdict bad"' in page


def test_of_many_checks_the_failed_ones_are_at_hand(tfc: BuildReport) -> None:
    checks = tuple(CheckRecord(f"layer {i} alone", i != 150) for i in range(200))
    verification = dataclasses.replace(tfc.verification, checks=checks)
    text = Page(render(dataclasses.replace(tfc, verification=verification))).text
    assert "191 more checks passed" in text
    assert text.index("layer 150 alone failed") < text.index("191 more checks")


def test_the_resource_bars_hold_what_is_in_no_layer(tfc: BuildReport) -> None:
    (lut, *_) = stacks(dataclasses.replace(tfc, metrics={"LUT": Metric(4000, "LUT", "measured")}))
    assert sum(part.share for part in lut.segments) == pytest.approx(1)
    assert lut.segments[-1].text.startswith("1\u202f073 LUT")


def test_what_was_asked_for_and_not_reached_is_marked(tfc: BuildReport) -> None:
    slow = {**tfc.metrics, "fmax_mhz": Metric(74.5, "MHz", "measured")}
    page = render(dataclasses.replace(tfc, metrics=slow))
    assert page.count('class="missed"') == 1
    assert "asked for, not reached" in page
    assert 'class="missed"' not in render(tfc)


def test_links_hold_where_the_page_is_moved_to(tfc: BuildReport, tmp_path: Path) -> None:
    paths = {"report": "build/tfc/report.html", "rtl": "build/tfc/rtl"}
    write_html(dataclasses.replace(tfc, artifacts=paths), tmp_path / "partial" / "report.html")
    page = (tmp_path / "partial" / "report.html").read_text(encoding="utf-8")
    assert '<a href="rtl">rtl</a>' in page


def test_artifacts_beside_the_page_are_links(tfc: BuildReport, tmp_path: Path) -> None:
    inside, outside = str(tmp_path / "rtl" / "a b.sv"), str(tmp_path.parent / "other.sv")
    report = dataclasses.replace(tfc, artifacts={"rtl": inside, "other": outside})
    write_html(report, tmp_path / "report.html")
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    links = [value for _, name, value in page.attributes if name == "href" and value[0] != "#"]
    assert links == ["rtl/a%20b.sv"]


def channel(value: int) -> float:
    share = value / 255
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4


def luminance(colour: str) -> float:
    red, green, blue = (channel(int(colour[i : i + 2], 16)) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(a: str, b: str) -> float:
    """WCAG 2.2, definition of contrast ratio."""
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_colours_have_contrast_in_both_themes(tfc: BuildReport) -> None:
    themes = re.findall(r":root \{(.*?)\}", render(tfc), re.DOTALL)
    assert len(themes) == 2
    for theme in themes:
        colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", theme))
        for name in ("ink", "quiet", "ember", "good", "bad", "warn", "steel"):
            assert contrast(colours[name], colours["card"]) >= 4.5, name
            assert contrast(colours[name], colours["page"]) >= 4.5, name
        for name in (f"c{i}" for i in range(8)):
            assert contrast(colours[name], colours["card"]) >= 3, name
        for name in ("top-ink", "top-quiet"):
            assert contrast(colours[name], colours["top"]) >= 4.5, name


def test_host_nodes_are_in_the_graph_where_streams_name_them_and_beside_it_else(
    tfc: BuildReport,
) -> None:
    beside = Page(render(tfc))
    assert beside.text.count("Mul_input_scale") == 2  # beside the graph, and with its reason
    streams = (StreamRecord("Mul_input_scale", tfc.layers[0].node, 1, 8), *tfc.streams)
    inside = render(dataclasses.replace(tfc, streams=streams))
    assert 'class="host"' in inside
    assert 'class="apart"' not in inside


def test_a_kernel_is_shown_without_its_plugin(tfc: BuildReport) -> None:
    layers = (dataclasses.replace(tfc.layers[1], kernel="acme-gemm:FastMatMul"),)
    page = Page(render(dataclasses.replace(tfc, layers=layers, streams=())))
    assert " FastMatMul " in page.text
    assert any(value == "acme-gemm:FastMatMul" for _, name, value in page.attributes)


def test_what_plugins_did_is_on_the_page_as_text(tfc: BuildReport, sandbox: SandboxRecord) -> None:
    page = Page(render(dataclasses.replace(tfc, sandbox=sandbox)))
    for shown in ("Confined at L1", "L3 would be required", "lens", "openat(/etc/<passwd>)",
                  "Fold: it used up its limit of 60 s"):  # fmt: skip
        assert shown in page.text
    assert ("section", "id", "plugins") in page.attributes
    assert ("section", "id", "plugins") not in Page(render(tfc)).attributes
