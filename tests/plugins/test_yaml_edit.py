"""Editing YAML: values change, and nothing else does."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from brainsmith.errors import PluginError
from brainsmith.plugins.safe_yaml import parse_yaml
from brainsmith.plugins.yaml_edit import Plan, YamlEditor

TEXT = """\
# A plugin
name: mine   # the name
version: 1.0.0

# What computes
kernels:
  # the first
  - name: A   # of all
    module: a.b
    tags:     # words
      # about it
      - one   # 1
      - two   # 2
    constraints:
      min_K: 8  # lanes
      max_K: 9
    # behind
  - {name: B, module: a.c, tags: [x, y]}  # in a row
  -
    name: C
    text: |
      several
      lines

# The end
tags: [a]
"""
A = {
    "name": "A",
    "module": "a.b",
    "tags": ["one", "two"],
    "constraints": {"min_K": 8, "max_K": 9},
}
B = {"name": "B", "module": "a.c", "tags": ["x", "y"]}
C = {"name": "C", "text": "several\nlines\n"}


def edited(text: str, plan: Plan, field: str = "kernels") -> str:
    editor = YamlEditor(parse_yaml(text, "f"))
    editor.set_entries(field, plan, after=("name", "version"))
    after = editor.result()
    assert parse_yaml(after, "f").data.get(field, []) == [entry for _, entry in plan]
    return after


def changed_lines(before: str, after: str) -> tuple[set[str], set[str]]:
    """The lines that are gone, and those that are new."""
    old, new = before.splitlines(), after.splitlines()
    return set(old) - set(new), set(new) - set(old)


def test_what_is_the_same_stays_as_it_is() -> None:
    assert edited(TEXT, [(0, A), (1, B), (2, C)]) == TEXT


@pytest.mark.parametrize(
    ("plan", "gone", "new"),
    [
        (
            [(0, {**A, "module": "z"}), (1, B), (2, C)],
            {"    module: a.b"},
            {"    module: z"},
        ),
        (
            [(0, {**A, "name": "yes"}), (1, B), (2, C)],
            {"  - name: A   # of all"},
            {'  - name: "yes"   # of all'},
        ),
        (
            [(0, {**A, "operation": "matmul"}), (1, B), (2, C)],
            set(),
            {"    operation: matmul"},
        ),
        (
            [(0, {**A, "tags": ["one", "three", "four"]}), (1, B), (2, C)],
            {"      - two   # 2"},
            {"      - three   # 2", "      - four"},
        ),
        (
            [(0, {**A, "tags": ["zero", "one", "two"]}), (1, B), (2, C)],
            set(),
            {"      - zero"},
        ),
        (
            [(0, {**A, "tags": ["two"]}), (1, B), (2, C)],
            {"      - one   # 1"},
            set(),
        ),
        (
            [(0, {**A, "constraints": {"min_K": 16, "x": [1, "a"]}}), (1, B), (2, C)],
            {"      min_K: 8  # lanes", "      max_K: 9"},
            {"      min_K: 16  # lanes", "      x: [1, a]"},
        ),
        (
            [(0, {k: v for k, v in A.items() if k != "module"}), (1, B), (2, C)],
            {"    module: a.b"},
            set(),
        ),
        (
            [(0, A), (1, {"name": "B", "tags": ["x"], "new": 1.5}), (2, C)],
            {"  - {name: B, module: a.c, tags: [x, y]}  # in a row"},
            {"  - {name: B, tags: [x], new: 1.5}  # in a row"},
        ),
        (
            [(0, A), (1, {"name": "B"}), (2, C)],
            {"  - {name: B, module: a.c, tags: [x, y]}  # in a row"},
            {"  - {name: B}  # in a row"},
        ),
        (
            [(0, A), (1, {"module": "a.c", "z": True}), (2, C)],
            {"  - {name: B, module: a.c, tags: [x, y]}  # in a row"},
            {"  - {module: a.c, z: true}  # in a row"},
        ),
        (
            [(0, A), (1, B), (2, {"name": "C", "text": "one: line", "more": None})],
            {"    text: |", "      several", "      lines"},
            {'    text: "one: line"', "    more: null"},
        ),
        (
            [(0, A), (2, C), (None, {"name": "D", "module": "d"})],
            {"  - {name: B, module: a.c, tags: [x, y]}  # in a row"},
            {"  - name: D", "    module: d"},
        ),
    ],
)
def test_only_the_lines_of_what_changes_are_touched(
    plan: Plan, gone: set[str], new: set[str]
) -> None:
    assert changed_lines(TEXT, edited(TEXT, plan)) == (gone, new)


def test_a_list_can_lose_all_its_entries_and_get_others() -> None:
    after = edited(TEXT, [])
    assert "kernels: []\n" in after
    assert comments(after) == {
        c
        for c in comments(TEXT)
        if c not in ("of all", "words", "about it", "1", "2", "lanes", "in a row")
    }
    again = edited(after, [(None, {"name": "M"})])
    assert "kernels:\n" in again
    assert "  - name: M\n" in again


@pytest.mark.parametrize("value", ["", " []", " [ ]  # none", " [{name: A, b: 1}]", "\n  - {b: 1}"])
def test_a_list_that_is_empty_or_in_a_row_gets_entries(value: str) -> None:
    text = f"name: x\nkernels:{value}\ntags: []\n"
    old = parse_yaml(text, "f").data["kernels"] or []
    plan = [*enumerate(old), (None, {"name": "M", "tags": ["a b", "c"]})]
    after = edited(text, plan)
    assert after.startswith("name: x\nkernels:")
    assert after.endswith("\ntags: []\n")
    assert comments(after) == comments(text)


def test_a_new_field_goes_behind_those_it_belongs_to() -> None:
    after = edited("name: x\nversion: 1.0.0  # now\ntags: []", [(None, {"name": "M"})])
    assert after == "name: x\nversion: 1.0.0  # now\n\nkernels:\n  - name: M\n\ntags: []\n"


def test_line_ends_of_windows_stay() -> None:
    text = "name: x\r\nkernels:\r\n  - name: A\r\n    b: 1\r\n"
    plan = [(0, {"name": "A", "b": 2, "c": 3}), (None, {"name": "M"})]
    assert edited(text, plan) == (
        "name: x\r\nkernels:\r\n  - name: A\r\n    b: 2\r\n    c: 3\r\n  - name: M\r\n"
    )


def test_a_list_without_indent_stays_so() -> None:
    text = "kernels:\n- name: A\n  tags:\n  - x\nname: x\n"
    plan = [(0, {"name": "A", "tags": ["x", "z"]}), (None, {"name": "M"})]
    assert edited(text, plan) == (
        "kernels:\n- name: A\n  tags:\n  - x\n  - z\n- name: M\nname: x\n"
    )


def test_a_file_in_one_row_is_left_to_its_author() -> None:
    with pytest.raises(PluginError, match="lines of their own"):
        YamlEditor(parse_yaml('{"name": "x", "kernels": []}', "f"))


def comments(text: str) -> set[str]:
    return set(re.findall(r"# (.*?)\s*$", text, re.M))


scalars = (
    st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
    | st.sampled_from(["yes", "1.0", "~", "a: b", "a #b", "- x", "x,y", "null", "0x1", " a", "é"])
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False)
    | st.booleans()
)
keys = st.sampled_from(["module", "class", "tags", "constraints", "description", "x y", "1"])
entries = st.lists(
    st.tuples(
        st.text("ABC", min_size=1, max_size=2),
        st.dictionaries(
            keys,
            scalars
            | st.lists(scalars, max_size=4)
            | st.dictionaries(st.sampled_from("abcd"), scalars, max_size=3),
            max_size=4,
        ),
    ).map(lambda pair: {"name": pair[0], **pair[1]}),
    max_size=4,
)


def row(entry: Any) -> str:
    return yaml.safe_dump(entry, default_flow_style=True, sort_keys=False, width=10**6).strip()


def written(data: Any, style: str) -> str:
    """The same data in one of the styles that people and programs write."""
    if style == "rows":
        rows = "".join(f"  - {row(e)}  # r{i}\n" for i, e in enumerate(data["kernels"]))
        return (
            f"name: x  # top\nkernels:{'' if data['kernels'] else ' []'}\n{rows}tags: [t]  # end\n"
        )
    return str(yaml.safe_dump(data, sort_keys=False, width=10**6))


@settings(deadline=None)
@given(entries, entries, st.sampled_from(["rows", "indentless"]), st.data())
def test_any_entries_can_become_any_others(
    old: list[dict[str, Any]], new: list[dict[str, Any]], style: str, draw: st.DataObject
) -> None:
    text = written({"name": "x", "kernels": old, "tags": ["t"]}, style)
    kept = sorted(draw.draw(st.sets(st.integers(0, len(old) - 1)))) if old else []
    changed = [new[i] if i < len(new) else old[index] for i, index in enumerate(kept)]
    plan = [*zip(kept, changed, strict=True), *((None, e) for e in new[len(kept) :])]
    after = edited(text, plan)
    data = parse_yaml(after, "f").data
    assert (data["name"], data["tags"]) == ("x", ["t"])
    assert edited(after, [*enumerate(data["kernels"])]) == after
    assert {"top", "end"} <= comments(after) or style != "rows"
    # Every other reader of YAML sees the same.
    assert yaml.safe_load(after)["kernels"] == data["kernels"]
