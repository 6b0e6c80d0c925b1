"""Changing values in a YAML file and nothing else: comments, order and style stay.

The parser's marks say where each value stands in the text; what changes is cut out and written
anew, and the rest is never touched. Documents come from `safe_yaml`, so there are no anchors, tags
or second documents to look after.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

import yaml
from yaml.nodes import CollectionNode, MappingNode, Node, SequenceNode

from brainsmith.errors import PluginError
from brainsmith.plugins.safe_yaml import Document, parse_yaml

# What every YAML reader takes for text without quotes, in block and in flow style.
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./()+*^-]*(?: [A-Za-z0-9_./()+*^=<>;-]+)*")
_NO_TEXT = frozenset(("yes", "no", "on", "off", "true", "false", "null", "y", "n"))
Plan = Sequence[tuple[int | None, Mapping[str, Any]]]


class YamlEditor:
    """Collects changes to a document and applies them at once.

    Args:
        document: what was read; its top level is a mapping in block style.

    Raises:
        PluginError: the top level is something else.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._newline = "\r\n" if "\r\n" in document.text else "\n"
        ended = document.text.endswith(("\n", "\r"))
        self._text = document.text if ended else document.text + self._newline
        root = yaml.compose(self._text, Loader=yaml.SafeLoader)
        if not isinstance(root, MappingNode) or not _is_block(root):
            raise PluginError(
                "only a file whose fields stand on lines of their own can be edited",
                where=document.where,
                hint="write each field as `field: value` on its own line",
            )
        self._fields = {key.value: (key, value) for key, value in root.value}
        self._expected = dict(document.data)
        self._cuts: list[tuple[int, int, str]] = []

    def set_entries(self, field: str, plan: Plan, after: Sequence[str]) -> None:
        """Give a field of the top level, a list of mappings, the entries of `plan`.

        Args:
            field: the field's name.
            plan: for each entry its old index, or None for a new one, and its content. Old
                indices ascend, and new entries come last.
            after: where a field that is not there yet goes: behind the last of these.
        """
        entries = [dict(entry) for _, entry in plan]
        if _same(entries, self._document.data.get(field) or []):
            return
        self._expected[field] = entries
        if field not in self._fields:
            self._insert_field(field, entries, after)
            return
        key, node = self._fields[field]
        if not isinstance(node, SequenceNode) or not _is_block(node):
            self._replace_list(key, node, entries)
        elif not entries:
            for item in node.value:
                self._cut_lines(self._dash(node, item), self._end(item))
            colon = self._text.index(":", key.end_mark.index) + 1
            self._cuts.append((colon, colon, " []"))
        else:
            self._edit_entries(node, self._document.data[field], plan)

    def result(self) -> str:
        """The text with all changes.

        Raises:
            PluginError: the text cannot be changed so; it never says something else than asked.
        """
        if not self._cuts:
            return self._document.text
        text = self._text
        for _, (start, end, new) in sorted(enumerate(self._cuts), key=_position, reverse=True):
            text = text[:start] + new + text[end:]
        try:
            same = _same(parse_yaml(text, self._document.where).data, self._expected)
        except PluginError:
            same = False
        if not same:
            raise PluginError(
                "the file is written in a way that cannot be edited",
                where=self._document.where,
                hint="write lists of components with one field on each line",
            )
        return text

    def _insert_field(
        self, field: str, entries: list[dict[str, Any]], after: Sequence[str]
    ) -> None:
        known = [name for name in self._fields if name in after] or list(self._fields)
        place = self._line_end(self._end(self._fields[known[-1]][1]))
        lines = ["", f"{field}:", *(line for e in entries for line in _block_entry(e, 2))]
        if self._text[place : place + 1] not in ("", "\n", "\r"):
            lines.append("")
        self._insert_lines(place, lines)

    def _replace_list(self, key: Node, node: Node, entries: list[dict[str, Any]]) -> None:
        """Write a list anew that stands there in flow style, or not at all."""
        start, end = key.end_mark.index, self._end(node)
        start = self._text.index(":", start) + 1
        self._cuts.append((start, end, "" if entries else " []"))
        lines = [line for entry in entries for line in _block_entry(entry, 2)]
        self._insert_lines(self._line_end(end), lines)

    def _edit_entries(self, node: SequenceNode, old: list[dict[str, Any]], plan: Plan) -> None:
        kept = {index: entry for index, entry in plan if index is not None}
        for index, item in enumerate(node.value):
            if index in kept:
                self._edit_mapping(item, old[index], kept[index])
            else:
                self._cut_lines(self._dash(node, item), self._end(item))
        column = node.start_mark.column
        last = node.value[-1]
        lines: list[str] = []
        for entry in (entry for index, entry in plan if index is None):
            if _is_block(last):
                lines += _block_entry(entry, column)
            else:
                lines.append(f"{' ' * column}- {_flow(entry)}")
        self._insert_lines(self._line_end(self._end(last)), lines)

    def _edit(self, key: Node, node: Node, old: Any, new: Any) -> None:
        """Change one value of a mapping."""
        if _same(old, new):
            return
        block = _is_block(node)
        if isinstance(node, MappingNode) and isinstance(new, dict) and set(old) & set(new):
            self._edit_mapping(node, old, new)
        elif block and isinstance(node, SequenceNode) and _is_flat(new) and _is_flat(old):
            self._edit_sequence(node, old, new)
        elif block or not self._text[node.start_mark.index : self._end(node)]:
            colon = self._text.index(":", key.end_mark.index) + 1
            self._cuts.append((colon, max(colon, self._end(node)), f" {_flow(new)}"))
        else:
            self._cuts.append((node.start_mark.index, self._end(node), _flow(new)))

    def _edit_mapping(
        self, node: MappingNode, old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> None:
        pairs = node.value
        for key, value in pairs:
            if key.value in new:
                self._edit(key, value, old[key.value], new[key.value])
        gone = [i for i, (key, _) in enumerate(pairs) if key.value not in new]
        added = {key: value for key, value in new.items() if key not in old}
        end = self._end(pairs[-1][1])
        if node.flow_style:
            self._cut_flow_fields(pairs, gone)
            self._cuts.append((end, end, "".join(f", {_pair(k, v)}" for k, v in added.items())))
            return
        self._cut_block_fields(pairs, gone)
        indent = " " * pairs[0][0].start_mark.column
        lines = [indent + _pair(k, v) for k, v in added.items()]
        self._insert_lines(self._line_end(end), lines)

    def _cut_flow_fields(self, pairs: list[tuple[Node, Node]], gone: list[int]) -> None:
        """Up to the next field; at the end from the last field that stays."""
        kept = [i for i in range(len(pairs)) if i not in gone]
        tail = [i for i in gone if i > kept[-1]]
        for index in gone:
            if index not in tail:
                start, end = pairs[index][0].start_mark.index, pairs[index + 1][0].start_mark.index
                self._cuts.append((start, end, ""))
        if tail:
            self._cuts.append((self._end(pairs[kept[-1]][1]), self._end(pairs[-1][1]), ""))

    def _cut_block_fields(self, pairs: list[tuple[Node, Node]], gone: list[int]) -> None:
        """Whole lines; at the start, behind the dash, up to the first field that stays."""
        first = next(i for i in range(len(pairs)) if i not in gone)
        if first:
            start, end = pairs[0][0].start_mark.index, pairs[first][0].start_mark.index
            self._cuts.append((start, end, ""))
        for index in gone:
            if index > first:
                self._cut_lines(pairs[index][0].start_mark.index, self._end(pairs[index][1]))

    def _edit_sequence(self, node: SequenceNode, old: list[Any], new: list[Any]) -> None:
        """A list with one item a line: lines of items that stay are not touched."""
        items, indent = node.value, " " * node.start_mark.column
        matcher = SequenceMatcher(a=list(map(_flow, old)), b=list(map(_flow, new)), autojunk=False)
        for tag, i1, i2, j1, j2 in matcher.get_opcodes():
            if tag == "equal":
                continue
            both = min(i2 - i1, j2 - j1)
            for item, value in zip(items[i1 : i1 + both], new[j1 : j1 + both], strict=True):
                self._cuts.append((item.start_mark.index, self._end(item), _flow(value)))
            for item in items[i1 + both : i2]:
                self._cut_lines(self._dash(node, item), self._end(item))
            before = i1 + both
            place = (
                self._line_end(self._end(items[before - 1]))
                if before
                else self._line_start(self._dash(node, items[0]))
            )
            self._insert_lines(place, [f"{indent}- {_flow(v)}" for v in new[j1 + both : j2]])

    def _insert_lines(self, place: int, lines: list[str]) -> None:
        if lines:
            self._cuts.append((place, place, "".join(line + self._newline for line in lines)))

    def _cut_lines(self, start: int, end: int) -> None:
        self._cuts.append((self._line_start(start), self._line_end(end), ""))

    def _end(self, node: Node) -> int:
        """Where the text of a value ends, without comments and empty lines behind it."""
        if not isinstance(node, CollectionNode) or not _is_block(node):
            start, end = node.start_mark.index, node.end_mark.index
            return start + len(self._text[start:end].rstrip())
        last = node.value[-1]
        return self._end(last[1] if isinstance(last, tuple) else last)

    def _dash(self, node: SequenceNode, item: Node) -> int:
        """Where the dash before an item of a list in block style is."""
        column, place = node.start_mark.column, item.start_mark.index
        while True:
            start = self._line_start(place)
            dash = start + column
            if self._text[start : dash + 1] == " " * column + "-":
                return dash
            place = start - 1

    def _line_start(self, place: int) -> int:
        return self._text.rfind("\n", 0, place) + 1

    def _line_end(self, place: int) -> int:
        """Behind the end of the line that holds `place`."""
        end = self._text.find("\n", place)
        return len(self._text) if end < 0 else end + 1


def _position(numbered: tuple[int, tuple[int, int, str]]) -> tuple[int, int]:
    number, (start, _, _) = numbered
    return start, number


def _same(a: Any, b: Any) -> bool:
    """Whether two values are written the same; 1, 1.0 and true are not."""
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


def _is_block(node: Node) -> bool:
    """Whether a value is a list or a mapping with its members on lines of their own."""
    return isinstance(node, CollectionNode) and not node.flow_style and bool(node.value)


def _is_flat(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and not any(isinstance(item, dict | list) for item in value)
    )


def _block_entry(entry: Mapping[str, Any], column: int) -> list[str]:
    starts = ["- ", *["  "] * (len(entry) - 1)]
    return [
        f"{' ' * column}{start}{_pair(key, value)}"
        for start, (key, value) in zip(starts, entry.items(), strict=True)
    ]


def _pair(key: str, value: Any) -> str:
    return f"{_flow(key)}: {_flow(value)}"


def _flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(_pair(k, v) for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, float):
        return _float(value)
    if not isinstance(value, str):
        return json.dumps(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _NO_TEXT:
        return value
    return '"' + "".join(map(_escaped, value)) + '"'


def _float(value: float) -> str:
    text = repr(value)
    if text in ("inf", "-inf", "nan"):
        return text.replace("inf", ".inf").replace("nan", ".nan")
    return text if "." in text or "e" not in text else text.replace("e", ".0e")


def _escaped(c: str) -> str:
    if c in '"\\':
        return f"\\{c}"
    if c.isprintable():
        return c
    return f"\\x{ord(c):02x}" if ord(c) < 256 else f"\\U{ord(c):08x}"
