"""What a user grants, as it is written and read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from brainsmith.errors import ConfigurationError
from brainsmith.plugins.grants import Grant, Grants, parse_grants, read_grant


def test_a_table_is_read_with_its_units_and_paths(tmp_path: Path) -> None:
    table = {
        "memory": "4 GiB", "cpu_time": 300, "wall_time": 0.5, "output_size": 10,
        "readable_paths": ["calibration", "/data/../data/x"], "tools": ["iverilog"],
    }  # fmt: skip
    assert read_grant(table, tmp_path) == Grant(
        4 << 30, 300.0, 0.5, 10, (tmp_path / "calibration", Path("/data/x")), ("iverilog",)
    )


def test_a_tilde_is_the_user_s_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read_grant({"readable_paths": ["~/data"]}, Path("/")).readable_paths == (
        tmp_path / "data",
    )


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"memmory": 1}, "did you mean 'memory'"),
        ({"memory": -1}, "memory cannot be -1"),
        ({"memory": True}, "memory cannot be True"),
        ({"memory": "-2 GiB"}, "memory cannot be '-2 GiB'"),
        ({"output_size": "lots"}, "expected: a number of bytes"),
        ({"cpu_time": 0}, "cpu_time cannot be 0"),
        ({"wall_time": "60"}, "expected: a number of seconds"),
        ({"wall_time": float("inf")}, "wall_time cannot be inf"),
        ({"readable_paths": "/data"}, "a list of texts"),
        ({"readable_paths": [""]}, "a list of texts"),
        ({"readable_paths": ["/"]}, "'/' is never given"),
        ({"readable_paths": ["/proc/1"]}, "'/proc/1' is never given"),
        ({"readable_paths": ["/data/../dev"]}, "'/dev' is never given"),
        ({"readable_paths": ["~nobody-has-this-name/x"]}, "expected: a path"),
        ({"readable_paths": ["/a\0b"]}, "expected: a"),
        ({"readable_paths": ["/a\x1b[2J"]}, "expected: an absolute path"),
        ({"tools": ["/bin/sh"]}, "a tool's name"),
        ({"tools": [3]}, "a list of texts"),
    ],
)
def test_a_table_that_is_wrong(table: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_grant(table, Path("/"))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "values",
    [
        {"memory": 0},
        {"memory": "4 GiB"},
        {"memory": 1.5},
        {"cpu_time": -1.0},
        {"readable_paths": (Path("data"),)},
        {"readable_paths": ("/data",)},
        {"tools": ("a b",)},
    ],
)
def test_a_program_s_grant_is_checked_too(values: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        Grant(**values)


def test_options_of_one_plugin_add_up_and_the_last_of_a_limit_counts() -> None:
    texts = ["lens:memory=1GiB", "lens:memory=4 GiB", "lens:read=/a", "lens:read=/b",
             "mine:tool=iverilog", "lens:wall_time=1e2", "lens:cpu_time=30"]  # fmt: skip
    assert parse_grants(texts) == {
        "lens": Grant(4 << 30, 30.0, 100.0, readable_paths=(Path("/b"), Path("/a"))),
        "mine": Grant(tools=("iverilog",)),
    }


def test_a_relative_path_of_an_option_starts_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse_grants(["lens:read=x=1"])["lens"].readable_paths == (tmp_path / "x=1",)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "write it like"),
        ("lens", "write it like"),
        ("memory=4GiB", "write it like"),
        ("lens:memory", "write it like"),
        ("lens:memory=", "write it like"),
        (":memory=1", "write it like"),
        ("lens==1.0:memory=1GiB", "write it like"),
        ("le ns:memory=1GiB", "write it like"),
        ("lens:memry=1GiB", "did you mean 'memory'"),
        ("lens:readable_paths=/data", "cpu_time, memory, output_size, read, tool, wall_time"),
        ("lens:memory=-1", "a number of bytes"),
        ("lens:memory=4 GigaByte", "a number of bytes"),
        ("lens:memory=1_000", "a number of bytes"),
        ("lens:memory=" + "9" * 5000, "a number of bytes"),
        ("lens:wall_time=nan", "a number of seconds"),
        ("lens:wall_time=2min", "a number of seconds"),
        ("lens:tool=../sh", "a tool's name"),
        ("lens:read=/", "a folder of data"),
    ],
)
def test_an_option_that_is_no_grant_says_what_is(text: str, hint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_grants([text])
    assert caught.value.where == "--grant"
    assert f"'{text}'"[:60] in caught.value.what
    assert hint in str(caught.value.hint)


class TestWhoCounts:
    def test_the_option_then_the_user_then_the_project(self) -> None:
        grants = Grants(
            plugins={"lens": Grant(memory=1)},
            own={"lens": Grant(memory=2, cpu_time=2.0)},
            project={"lens": Grant(memory=3, cpu_time=3.0, wall_time=3.0)},
        )
        assert grants.of("lens", "user") == Grant(memory=1, cpu_time=2.0, wall_time=3.0)

    def test_paths_and_tools_add_up(self) -> None:
        grants = Grants(
            own={"lens": Grant(readable_paths=(Path("/a"),), tools=("x",))},
            project={"lens": Grant(readable_paths=(Path("/b"),))},
        )
        assert grants.of("lens", "store") == Grant(
            readable_paths=(Path("/a"), Path("/b")), tools=("x",)
        )

    def test_what_the_user_s_file_gives_a_name_is_not_given_to_a_project_s_plugin(self) -> None:
        grants = Grants(own={"lens": Grant(readable_paths=(Path("/a"),))})
        assert grants.of("lens", "project") == Grant()

    def test_an_option_names_any_plugin(self) -> None:
        grants = Grants(plugins={"lens": Grant(memory=1)})
        assert grants.of("lens", "project") == Grant(memory=1)

    def test_others_have_nothing(self) -> None:
        assert Grants(plugins={"lens": Grant(memory=1)}).of("mine", "user") == Grant()
