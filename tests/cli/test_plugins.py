"""`brainsmith plugins`, `search` and `info`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.plugins.folders import write_plugin

if TYPE_CHECKING:
    from conftest import Brainsmith, Ran

ROOT = Path(__file__).parent.parent.parent
DIGITS = ROOT / "examples" / "digits" / "digits.onnx"
MATMUL = """\
from brainsmith.api import RTLOp, backend, kernel

@kernel(name="Mine", operation_type="matmul", version="1.0.0")
class Mine:
    constraints = {"max_M": 32}

    @backend("rtl")
    def rtl(self, config):
        return RTLOp("mine", [])
"""


@pytest.fixture
def alone(brainsmith: Brainsmith, tmp_path: Path) -> Brainsmith:
    """The command with a home folder of its own, in a project that has one plugin."""
    (tmp_path / "home").mkdir()
    more = "description: Systolic arrays\ntags: [gemm]\nauthor: Ann\n"
    write_plugin(tmp_path / "brainsmith_plugins/mine", "mine", more=more)
    (tmp_path / "brainsmith_plugins/mine/mine_kernels.py").write_text(MATMUL)
    env = {"HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": "", "BRAINSMITH_PLUGIN_PATH": ""}

    def run(*arguments: str | Path) -> Ran:
        return brainsmith(*arguments, env=env)

    return run


def test_plugins_are_listed_with_where_they_come_from(alone: Brainsmith) -> None:
    ran = alone("plugins", "--json")
    assert ran.code == 0
    listed = {plugin["name"]: plugin for plugin in ran.json["plugins"]}
    assert listed["mine"]["origin"] == "project"
    assert listed["mine"]["components"] == {"kernels": ["Mine"]}
    assert listed["brainsmith"]["origin"] == "built-in"
    assert "Systolic arrays" in alone("plugins").out


def test_a_broken_plugin_is_listed_and_the_exit_code_says_so(
    alone: Brainsmith, tmp_path: Path
) -> None:
    assert alone("plugins", "--broken").code == 0
    bad = tmp_path / "brainsmith_plugins/bad/brainsmith.yaml"
    bad.parent.mkdir()
    bad.write_text("name: bad\nversion: '1'\nkernals: []\n")
    ran = alone("plugins", "--broken", "--json")
    assert ran.code == 5 and ran.json["success"] is False
    (broken,) = ran.json["broken"]
    assert broken["path"] == str(bad)
    assert "'kernels'" in f"{broken['error']['what']} {broken['error']['hint']}"
    told = alone("plugins", "--broken")
    assert told.code == 5 and "kernals" in told.out
    assert "1 cannot be used" in alone("plugins").out
    assert alone("search", "systolic", "--json").json["total"] == 1


def test_search_finds_by_words_and_options(alone: Brainsmith) -> None:
    found = alone("search", "systolic", "--json").json["results"]
    assert [one["full_name"] for one in found] == ["mine:Mine"]
    assert found[0]["author"] == "Ann" and found[0]["kind"] == "kernels"
    named = alone("search", "--kind", "kernel", "--operation", "matmul", "--json").json
    assert [one["full_name"] for one in named["results"]] == ["brainsmith:MatMul"]
    tagged = alone("search", "--tag", "gemm", "--author", "ann", "--json").json
    assert tagged["total"] == 1
    assert "nothing was found" in alone("search", "xyzzy").out


def test_search_says_how_much_it_does_not_show(alone: Brainsmith) -> None:
    ran = alone("search", "--limit", "2", "--json")
    assert len(ran.json["results"]) == 2 and ran.json["total"] > 2
    assert f"{ran.json['total'] - 2} more" in alone("search", "--limit", "2").out


def test_a_wrong_option_names_the_nearest(alone: Brainsmith) -> None:
    ran = alone("search", "--kind", "kernal", "--json")
    assert ran.code == 4 and "'kernel'" in ran.json["error"]["hint"]


def test_search_by_model_says_what_would_be_taken_over(alone: Brainsmith) -> None:
    ran = alone("search", "--model", DIGITS, "--json")
    assert ran.code == 0
    offers = {one["full_name"]: one for one in ran.json["results"]}
    taken = offers["mine:Mine"]["takes_over"]
    assert set(taken.values()) == {"brainsmith:MatMul"}
    assert set(taken) < set(offers["brainsmith:MatMul"]["nodes"])
    assert offers["brainsmith:MatMul"]["takes_over"] == {}
    only = alone("search", "systolic", "--model", DIGITS, "--json").json
    assert [one["full_name"] for one in only["results"]] == ["mine:Mine"]
    assert "takes over" in alone("search", "--model", DIGITS).out


def test_a_kernel_that_cannot_be_used_is_named_and_stops_nothing(
    alone: Brainsmith, tmp_path: Path
) -> None:
    (tmp_path / "brainsmith_plugins/mine/mine_kernels.py").write_text("import no_such_module\n")
    ran = alone("search", "--model", DIGITS, "--json")
    (unusable,) = ran.json["unusable"]
    assert unusable["full_name"] == "mine:Mine" and "no_such_module" in unusable["what"]
    assert alone("explain", DIGITS, "--json").code == 0


def test_info_shows_a_plugin_and_what_it_lacks(alone: Brainsmith, tmp_path: Path) -> None:
    manifest = tmp_path / "brainsmith_plugins/mine/brainsmith.yaml"
    manifest.write_text(
        manifest.read_text()
        + "dependencies: [no-such-package>=3]\ncompatibility: {brainsmith: '>=2', finn: '>=0.9'}\n"
        "funding: [{url: 'https://example.org/ann'}]\n"
    )
    value = alone("info", "mine", "--json").json
    assert value["version"] == "1.0.0" and value["versions"] == ["1.0.0"]
    assert value["missing"][0]["requirement"] == "no-such-package>=3"
    assert value["compatibility"]["finn"]["verdict"] == "not applicable"
    assert value["manifest"]["tags"] == ["gemm"]
    told = alone("info", "mine").out
    assert "not applicable" in told and "https://example.org/ann" in told
    assert "no-such-package" in told


def test_info_of_what_is_not_there_names_the_nearest(alone: Brainsmith) -> None:
    ran = alone("info", "mime", "--json")
    assert ran.code == 4 and "'mine'" in ran.json["error"]["hint"]


class TestWhatAPluginMayUse:
    def test_its_limits_are_shown(self, alone: Brainsmith) -> None:
        ran = alone("info", "mine", "--json")
        assert ran.json["sandbox"]["policy"]["memory"] == 2 << 30
        assert ran.json["sandbox"]["refused"] is None
        assert "a call has    2 GiB of memory, 60 s of processor time" in alone("info", "mine").out

    def test_what_it_asks_for_is_shown_until_it_is_granted(
        self, alone: Brainsmith, tmp_path: Path
    ) -> None:
        data = tmp_path / "data"
        asks = f"permissions: {{memory: 4 GiB, readable_paths: [{data}]}}\n"
        write_plugin(tmp_path / "brainsmith_plugins/mine", "mine", more=asks)
        refused = alone("info", "mine", "--json").json["sandbox"]
        assert refused["policy"] is None
        assert "memory of 4 GiB" in refused["refused"]["what"]
        text = alone("info", "mine").out
        lines = text[text.index("[sandbox.plugins") : text.index("  or for one command")]
        (tmp_path / "brainsmith.toml").write_text(lines)
        granted = alone("info", "mine", "--json").json["sandbox"]
        assert granted["policy"]["readable_paths"] == [str(data)]
        assert f"it reads      {data}" in alone("info", "mine").out

    def test_the_built_in_plugin_is_not_confined(self, alone: Brainsmith) -> None:
        assert alone("info", "brainsmith", "--json").json["sandbox"]["policy"] is None
