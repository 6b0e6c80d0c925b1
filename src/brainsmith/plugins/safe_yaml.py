"""YAML as plugins may write it: data only, with the line of every field.

Rules, all checked on the parser's events before any object is made of them:

1. One document, UTF-8, at most `MAX_BYTES` long and `MAX_DEPTH` levels deep.
2. No tags, anchors, aliases or merge keys: nothing is constructed, and nothing multiplies.
3. The keys of a mapping are text and differ from each other.
4. Plain scalars are read by the core schema of YAML 1.2: null, true, false, whole numbers and
   floats; everything else is text (`no`, `on`, `1:20` and `2026-01-01` too).
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import yaml
from yaml import events

from brainsmith.errors import PluginError

MAX_BYTES = 1 << 20
MAX_DEPTH = 32
FieldPath = Sequence[str | int]

# The C parser is ten times as fast; PyYAML without libyaml does not have it.
_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_ATTEMPTS = 5
_OPEN = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
_INT = re.compile(r"[-+]?[0-9]{1,400}|0x[0-9a-fA-F]{1,400}|0o[0-7]{1,400}")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)"
    r"|\.(?:nan|NaN|NAN)"
)
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
# A plain scalar that starts with none of these is text, unless it is one of the words.
_NUMERIC_START = frozenset("+-.0123456789")


@dataclass(frozen=True)
class Document:
    """A YAML file that was read.

    Args:
        data: its content: dictionaries, lists, text, numbers, truth values and None.
        text: the file's text.
        where: the file, for errors.
        status: the file's `fstat` at the time of reading; None where there was no file.
    """

    data: Any
    text: str
    where: str
    status: os.stat_result | None = None

    def line_of(self, field: FieldPath) -> int:
        """The line, from 1, of a field such as ("kernels", 0, "name").

        Of a field that is not there it is the line of what would hold it.
        """
        node = self._lines
        line = node.line
        for step in field:
            found = node.children.get(step)
            if found is None:
                break
            node, line = found, found.line
        return line

    def place(self, field: FieldPath = ()) -> str:
        """`file:line` of a field, for an error's `where`."""
        return f"{self.where}:{self.line_of(field)}"

    @cached_property
    def _lines(self) -> _Lines:
        # Only errors ask for lines, so reading keeps none of them.
        parser = _Parser(self.text)
        try:
            parser.get_event(), parser.get_event()
            return _lines(parser, parser.get_event(), 1)
        finally:
            parser.dispose()


@dataclass(frozen=True)
class _Lines:
    line: int
    children: dict[str | int, _Lines]


def read_yaml(path: str | Path) -> Any:
    """The data in a YAML file; see `read_document`."""
    return read_document(path).data


def read_document(path: str | Path) -> Document:
    """The YAML file at `path`.

    The file is opened once and everything is asked of the open file, so that what is checked is
    what is read.

    Raises:
        PluginError: it is missing, no regular file, too large, no YAML, or breaks a rule of this
            module.
    """
    where = str(path)
    content, status = _read(where)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise PluginError(
            "this is not YAML: the text is not UTF-8",
            where=f"{where}:{line}",
            hint="save the file as UTF-8",
        ) from error
    return parse_yaml(text, where, status)


def parse_yaml(text: str, where: str, status: os.stat_result | None = None) -> Document:
    """The YAML document in a text; `where` names it in errors."""
    try:
        # The constructor reads ahead too, so it can already complain.
        parser = _Parser(text)
        try:
            return Document(_document(parser, where), text, where, status)
        finally:
            parser.dispose()
    except yaml.YAMLError as error:
        raise _no_yaml(error, where) from error


def _read(where: str) -> tuple[bytes, os.stat_result]:
    """The content of a regular file and its status, both of the same moment."""
    try:
        descriptor = os.open(where, _OPEN)  # not blocking: a pipe would wait for a writer
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise PluginError("this is no regular file", where=where)
            for _ in range(_ATTEMPTS):
                content = _read_all(descriptor, status.st_size, where)
                after = os.fstat(descriptor)
                if (after.st_mtime_ns, after.st_size) == (status.st_mtime_ns, len(content)):
                    return content, after
                status = after
        finally:
            os.close(descriptor)
    except OSError as error:
        raise PluginError(f"cannot read the file: {error.strerror}", where=where) from error
    raise PluginError("the file changes while it is read", where=where, hint="try again")


def _read_all(descriptor: int, size: int, where: str) -> bytes:
    if size > MAX_BYTES:
        raise PluginError(f"the file is larger than {MAX_BYTES} bytes", where=where)
    os.lseek(descriptor, 0, os.SEEK_SET)
    content = b""
    # One byte more than there should be tells whether the file has grown.
    while len(content) <= size and (part := os.read(descriptor, size + 1 - len(content))):
        content += part
    return content


def _document(parser: Any, where: str) -> Any:
    parser.get_event()  # the stream's start
    start = parser.get_event()
    if isinstance(start, events.StreamEndEvent):
        return None
    data = _value(parser, parser.get_event(), where, 1)
    parser.get_event()  # the document's end
    after = parser.get_event()
    if not isinstance(after, events.StreamEndEvent):
        _refuse("there is a second document in the file", after, where, "one document a file")
    return data


def _value(parser: Any, event: Any, where: str, depth: int) -> Any:
    """The value that starts with `event`."""
    if event.anchor is not None:
        kind = "alias" if isinstance(event, events.AliasEvent) else "anchor"
        _refuse(f"the {kind} '{event.anchor}' is not read", event, where, "write the value itself")
    if event.tag is not None:
        _refuse(f"the tag '{event.tag}' is not read", event, where, "write the value without it")
    if isinstance(event, events.ScalarEvent):
        return _scalar(event.value) if event.implicit[0] else event.value
    if depth > MAX_DEPTH:
        _refuse(f"the values lie more than {MAX_DEPTH} levels deep", event, where)
    if isinstance(event, events.SequenceStartEvent):
        return _sequence(parser, where, depth)
    return _mapping(parser, where, depth)


def _sequence(parser: Any, where: str, depth: int) -> list[Any]:
    items = []
    while not isinstance(event := parser.get_event(), events.SequenceEndEvent):
        items.append(_value(parser, event, where, depth + 1))
    return items


def _mapping(parser: Any, where: str, depth: int) -> dict[str, Any]:
    items: dict[str, Any] = {}
    while not isinstance(key := parser.get_event(), events.MappingEndEvent):
        name = _key(key, where)
        if name in items:
            _refuse(f"the key '{name}' is there twice", key, where, "keep one of the two")
        items[name] = _value(parser, parser.get_event(), where, depth + 1)
    return items


def _key(event: Any, where: str) -> str:
    if event.anchor is not None or getattr(event, "tag", None) is not None:
        _refuse("a key has a tag, an anchor or an alias", event, where, "write plain text")
    if not isinstance(event, events.ScalarEvent):
        _refuse("a key is a list or a mapping", event, where, "keys are text")
    name: str = event.value
    if name == "<<" and event.implicit[0]:
        _refuse("merge keys ('<<') are not read", event, where, "write the fields themselves")
    return name


def _scalar(text: str) -> Any:
    """The value of a plain scalar, by the core schema of YAML 1.2."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC_START:
        return text
    if _INT.fullmatch(text):
        return int(text, 0 if text[:2] in ("0x", "0o") else 10)
    if _FLOAT.fullmatch(text):
        return float(
            text.replace(".i", "i").replace(".I", "I").replace(".n", "n").replace(".N", "N")
        )
    return text


def _lines(parser: Any, event: Any, line: int) -> _Lines:
    """The lines of a value that `_value` has accepted; a member's line is that of its key."""
    children: dict[str | int, _Lines] = {}
    if isinstance(event, events.SequenceStartEvent):
        while not isinstance(item := parser.get_event(), events.SequenceEndEvent):
            children[len(children)] = _lines(parser, item, item.start_mark.line + 1)
    elif isinstance(event, events.MappingStartEvent):
        while not isinstance(key := parser.get_event(), events.MappingEndEvent):
            children[key.value] = _lines(parser, parser.get_event(), key.start_mark.line + 1)
    return _Lines(line, children)


def _refuse(what: str, event: Any, where: str, hint: str | None = None) -> NoReturn:
    raise PluginError(what, where=f"{where}:{event.start_mark.line + 1}", hint=hint)


def _no_yaml(error: yaml.YAMLError, where: str) -> PluginError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    parts = (getattr(error, "context", None), getattr(error, "problem", None))
    reason = ": ".join(part for part in parts if part) or str(error).partition("\n")[0]
    return PluginError(
        f"this is not YAML: {reason}", where=where if mark is None else f"{where}:{mark.line + 1}"
    )
