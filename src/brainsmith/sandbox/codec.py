"""Data as it crosses the sandbox's border: one JSON text, then aligned binary segments.

The text lists rows, each a container or record whose items are plain values or references to rows
before it, so nothing can hold itself and what is shared is written once. The reader trusts
nothing: not the sizes, the numbers, the depth, nor what becomes of it all once it is unfolded.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np
import onnx

from brainsmith.errors import BrainsmithError
from brainsmith.model.model import Model
from brainsmith.sandbox.bundle import Bundle, pack, unpack
from brainsmith.sandbox.conformity import Seen, fields_of
from brainsmith.sandbox.records import RECORDS, record_class

MAGIC = b"BSDATA\x00\x01"
_HEADER = struct.Struct("<8sQ")
_ALIGNMENT = 64
MAX_DEPTH = 64
MAX_TEXT = 32 << 20
MAX_ROWS = 2_000_000
MAX_UNFOLDED = 1 << 26  # items once everything that is shared is counted each time
_LONG = 1024  # characters from which a text is a segment
_SMALL_INT = 1 << 63
_MAX_DIM = 1 << 48
_SURROGATE = re.compile("[\ud800-\udfff]")  # JSON makes one character of two of them
_HEX = re.compile(r"-?0x[0-9a-f]+\Z")
_DTYPES = frozenset(
    ["|b1", "|i1", "|u1", *(f"<{kind}{size}" for kind in "iu" for size in (2, 4, 8)),
     "<f2", "<f4", "<f8"]
)  # fmt: skip
_PLAIN = (str, int, float, bool, type(None))

Buffer = bytes | bytearray | memoryview
Item = Any  # a plain value, or a list of one row's number


class CodecError(ValueError):
    """A value that cannot cross the border, or bytes that are no value; it says where."""


def dumps(value: Any) -> list[Buffer]:
    """A value as buffers, to be written one after the other; arrays are not copied.

    None, bool, int, float, str, bytes, lists, tuples, sets of plain values, dictionaries with text
    as keys, arrays of numbers, models (`Model`, `onnx.ModelProto`, QONNX's `ModelWrapper`) and the
    records of `brainsmith.api`: of a class that extends one only the record's own fields.

    Raises:
        CodecError: a value of another type, one that holds itself, or one that is nested deeper
            than 64 levels.
    """
    writer = _Writer()
    item = writer.item(value, 0)
    top = {
        "value": item,
        "rows": writer.rows,
        "segments": [segment.nbytes for segment in writer.segments],
    }
    text = json.dumps(top, separators=(",", ":")).encode()
    if len(text) > MAX_TEXT or len(writer.rows) > MAX_ROWS:
        raise CodecError(f"the value is too large: {len(writer.rows)} parts")
    buffers: list[Buffer] = [_HEADER.pack(MAGIC, len(text)) + text]
    end = len(buffers[0])
    for segment in writer.segments:
        buffers += [bytes(-end % _ALIGNMENT), segment]
        end += -end % _ALIGNMENT + segment.nbytes
    return buffers


def loads(buffer: Buffer, *, own: bool = False) -> Any:
    """The value that `dumps` wrote; arrays are read-only views of the buffer.

    Args:
        own: whether it is the host's own, read by a worker: models are not looked through then.

    Raises:
        CodecError: the buffer holds no value; nothing else is raised, whatever it holds.
    """
    try:
        return _Reader(memoryview(buffer).toreadonly().cast("B"), own=own).value()
    except CodecError:
        raise
    except (BrainsmithError, ValueError, TypeError, KeyError, OverflowError) as error:
        raise CodecError(f"{type(error).__name__}: {error}") from error
    except (RecursionError, MemoryError) as error:
        raise CodecError(f"it is nested too deep or too large: {error}") from error


class _Writer:
    """Rows and segments of one value."""

    def __init__(self) -> None:
        self.rows: list[list[Any]] = []
        self.segments: list[memoryview] = []
        # By identity: the reference to what is written, None while that is under way.
        self._known: dict[int, Item] = {}
        self._alive: list[Any] = []  # what is known by its identity must keep it
        self._seen: Seen = set()

    def item(self, value: Any, depth: int) -> Item:
        kind = type(value)
        if kind in _PLAIN and self._is_short(kind, value):
            return value
        key = id(value)
        if key in self._known:
            known = self._known[key]
            if known is None:
                raise CodecError(f"{kind.__name__} holds itself")
            return known
        if depth >= MAX_DEPTH:
            raise CodecError(f"{kind.__name__} is nested deeper than {MAX_DEPTH} levels")
        self._known[key] = None
        self._alive.append(value)
        row = self._row(value, kind, depth + 1)
        if not isinstance(row, list):  # as good as a plain value
            self._known[key] = row
            return row
        self.rows.append(row)
        reference = self._known[key] = [len(self.rows) - 1]
        return reference

    def _is_short(self, kind: type, value: Any) -> bool:
        if kind is str:
            return len(value) <= _LONG and _SURROGATE.search(value) is None
        return kind is not int or -_SMALL_INT <= value < _SMALL_INT

    def _row(self, value: Any, kind: type, depth: int) -> Any:
        write = _WRITERS.get(kind)
        if write is None:
            record = record_class(kind)
            if record is not None:
                return self._record(value, record, depth)
            write = next((w for base, w in _WRITERS.items() if isinstance(value, base)), None)
        if write is not None:
            return write(self, value, depth)
        if kind.__module__ == "qonnx.core.modelwrapper" and kind.__name__ == "ModelWrapper":
            return ["wrapper", self._segment(value.model.SerializeToString())]
        raise CodecError(f"an object of the class {kind.__module__}.{kind.__qualname__} is no data")

    def _record(self, value: Any, cls: type, depth: int) -> list[Any]:
        row: list[Any] = [cls.__name__]
        for field in fields_of(cls):
            where = f"{cls.__name__}.{field.name}"
            content = getattr(value, field.name)
            if not field.check(content, self._seen):
                raise CodecError(f"{where} is {_shown(content)}, not {field.expected}")
            self._alive.append(content)
            try:
                row.append(self.item(content, depth))
            except CodecError as error:
                raise CodecError(f"{where}: {error}") from None
        return row

    def _segment(self, data: Buffer | np.ndarray) -> int:
        if isinstance(data, np.ndarray):
            flat = np.require(data, requirements="C").reshape(-1).view(np.uint8)
            view = flat.data if flat.size else memoryview(b"")
        else:
            view = memoryview(data).cast("B") if len(data) else memoryview(b"")
        self.segments.append(view)
        return len(self.segments) - 1

    # One method a kind of value.

    def _int(self, value: int, depth: int) -> Any:
        number = int(value)
        return number if self._is_short(int, number) else ["int", hex(number)]

    def _text(self, value: str, depth: int) -> Any:
        text = str.__str__(value)
        if self._is_short(str, text):
            return text
        return ["text", self._segment(text.encode("utf-8", "surrogatepass"))]

    def _list(self, value: Sequence[Any], depth: int) -> list[Any]:
        return ["list", *[self.item(one, depth) for one in value]]

    def _tuple(self, value: Sequence[Any], depth: int) -> list[Any]:
        return ["tuple", *[self.item(one, depth) for one in value]]

    def _set(self, value: Any, depth: int) -> list[Any]:
        for one in value:
            if not isinstance(one, _PLAIN):
                raise CodecError(f"a set holds {_shown(one)}, which is no plain value")
        items = sorted(value, key=lambda one: (type(one).__name__, repr(one)))
        tag = "frozenset" if isinstance(value, frozenset) else "set"
        return [tag, *[self.item(one, depth) for one in items]]

    def _dict(self, value: Mapping[Any, Any], depth: int) -> list[Any]:
        row: list[Any] = ["dict"]
        for key, content in value.items():
            if not isinstance(key, str):
                raise CodecError(f"a dictionary has the key {_shown(key)}, which is no text")
            row += (self.item(str.__str__(key), depth), self.item(content, depth))
        return row

    def _bytes(self, value: Buffer, depth: int) -> list[Any]:
        return ["bytes", self._segment(value)]

    def _array(self, value: np.ndarray, depth: int) -> list[Any]:
        dtype = value.dtype.newbyteorder("<") if value.dtype.byteorder == ">" else value.dtype
        if dtype.str not in _DTYPES:
            raise CodecError(f"an array of {value.dtype}, which is no number")
        array = value.astype(dtype, copy=False)
        return ["array", dtype.str, list(value.shape), self._segment(array)]

    def _model(self, value: Model, depth: int) -> list[Any]:
        return ["model", self.item(pack(value), depth)]

    def _proto(self, value: onnx.ModelProto, depth: int) -> list[Any]:
        return ["proto", self._segment(value.SerializeToString())]


_Write = Callable[[_Writer, Any, int], Any]
# In the order in which they are tried for classes that extend one of these.
_WRITERS: dict[type, _Write] = {
    bool: lambda writer, value, depth: bool(value),
    int: _Writer._int,
    float: lambda writer, value, depth: float(value),
    str: _Writer._text,
    np.bool_: lambda writer, value, depth: bool(value),
    np.integer: _Writer._int,
    np.floating: lambda writer, value, depth: float(value),
    list: _Writer._list,
    tuple: _Writer._tuple,
    set: _Writer._set,
    frozenset: _Writer._set,
    dict: _Writer._dict,
    Mapping: _Writer._dict,
    bytes: _Writer._bytes,
    bytearray: _Writer._bytes,
    memoryview: _Writer._bytes,
    np.ndarray: _Writer._array,
    Model: _Writer._model,
    onnx.ModelProto: _Writer._proto,
}


class _Reader:
    """One value from a buffer of a foreign source."""

    def __init__(self, view: memoryview, *, own: bool) -> None:
        if len(view) < _HEADER.size:
            raise CodecError("it is shorter than its header")
        magic, length = _HEADER.unpack(view[: _HEADER.size])
        if magic != MAGIC:
            raise CodecError("its header is none")
        if length > min(MAX_TEXT, len(view) - _HEADER.size):
            raise CodecError(f"its text of {length} bytes is not there, or too long")
        end = _HEADER.size + length
        top = _json(bytes(view[_HEADER.size : end]))
        self._segments = _cut(view, end, top["segments"])
        self._used = [False] * len(self._segments)
        self._own = own
        self._rows: list[Any] = top["rows"]
        self._value: Item = top["value"]
        self._read: list[Any] = []
        self._depths: list[int] = []
        self._sizes: list[int] = []
        self._depth = self._size = 0
        self._seen: Seen = set()

    def value(self) -> Any:
        for number, row in enumerate(self._rows):
            self._depth = self._size = 0
            try:
                self._read.append(self._of(row))
            except (BrainsmithError, ValueError, TypeError, KeyError, OverflowError) as error:
                raise CodecError(f"part {number}: {error}") from error
            self._close(number)
        return self.item(self._value)

    def _close(self, number: int) -> None:
        self._depths.append(self._depth + 1)
        self._sizes.append(self._size + 1)
        if self._depths[-1] > MAX_DEPTH or self._sizes[-1] > MAX_UNFOLDED:
            raise CodecError(f"part {number} is nested too deep, or too large once unfolded")

    def _of(self, row: Any) -> Any:
        if not isinstance(row, list) or not row or not isinstance(row[0], str):
            raise CodecError("it has no kind")
        read = _READERS.get(row[0])
        if read is not None:
            return read(self, row)
        cls = RECORDS.get(row[0])
        if cls is None:
            raise CodecError(f"it is of the unknown kind '{row[0]:.40}'")
        return self._record(cls, row)

    def item(self, item: Item) -> Any:
        if not isinstance(item, list):
            if isinstance(item, _PLAIN):
                return item
            raise CodecError("an item is neither a value nor a reference")
        number = item[0] if len(item) == 1 else None
        if type(number) is not int or not 0 <= number < len(self._read):
            raise CodecError("a reference to nothing before it")
        self._depth = max(self._depth, self._depths[number])
        self._size += self._sizes[number]
        return self._read[number]

    def _items(self, row: list[Any]) -> list[Any]:
        self._size += len(row)
        return [self.item(one) for one in row[1:]]

    def _record(self, cls: type, row: list[Any]) -> Any:
        values = self._items(row)
        fields = fields_of(cls)
        if len(values) != len(fields):
            raise CodecError(f"{cls.__name__} has {len(fields)} fields, not {len(values)}")
        for field, value in zip(fields, values, strict=True):
            if not field.check(value, self._seen):
                where = f"{cls.__name__}.{field.name}"
                raise CodecError(f"{where} is {_shown(value)}, not {field.expected}")
        return cls(**{field.name: value for field, value in zip(fields, values, strict=True)})

    def _segment(self, number: Any) -> memoryview:
        if type(number) is not int or not 0 <= number < len(self._segments):
            raise CodecError("it has no segment")
        if self._used[number]:
            raise CodecError(f"segment {number} is used twice")
        self._used[number] = True
        return self._segments[number]

    # One method a kind of value.

    def _int(self, row: list[Any]) -> int:
        _, text = row
        if not isinstance(text, str) or _HEX.match(text) is None:
            raise CodecError("a number is none")
        return int(text, 16)

    def _text(self, row: list[Any]) -> str:
        _, number = row
        return str(self._segment(number), "utf-8", "surrogatepass")

    def _set(self, row: list[Any]) -> set[Any]:
        items = self._items(row)
        if not all(isinstance(one, _PLAIN) for one in items):
            raise CodecError("a set holds what is no plain value")
        return set(items)

    def _dict(self, row: list[Any]) -> dict[str, Any]:
        items = self._items(row)
        keys, values = items[::2], items[1::2]
        if not all(isinstance(key, str) for key in keys):
            raise CodecError("a key is no text")
        found = dict(zip(keys, values, strict=True))
        if len(found) != len(keys):
            raise CodecError("a key is there twice")
        return found

    def _bytes(self, row: list[Any]) -> bytes:
        _, number = row
        return bytes(self._segment(number))

    def _array(self, row: list[Any]) -> np.ndarray:
        _, name, shape, number = row
        if name not in _DTYPES:
            raise CodecError("an array of an unknown type")
        if not isinstance(shape, list) or len(shape) > 32:
            raise CodecError("an array's shape is none")
        if not all(type(dim) is int and 0 <= dim <= _MAX_DIM for dim in shape):
            raise CodecError("an array has a dimension that is none")
        dtype, segment = np.dtype(name), self._segment(number)
        if math.prod(shape) * dtype.itemsize != len(segment):
            raise CodecError(f"an array of {shape} in {len(segment)} bytes")
        array = np.frombuffer(segment, dtype).reshape(shape)
        if name == "|b1" and array.size and array.view(np.uint8).max() > 1:
            raise CodecError("an array of truths has others than 0 and 1")
        return array

    def _model(self, row: list[Any]) -> Model:
        (bundle,) = self._items(row)
        if not isinstance(bundle, Bundle):
            raise CodecError("a model is none")
        if self._own:
            return unpack(bundle)
        from brainsmith.sandbox.foreign import accept

        return accept(bundle)

    def _proto(self, row: list[Any]) -> onnx.ModelProto:
        from brainsmith.sandbox.foreign import check, check_acyclic, check_bytes

        _, number = row
        segment = self._segment(number)
        check_bytes(segment)
        proto = onnx.ModelProto()
        try:
            proto.ParseFromString(segment)
        except Exception as error:  # protobuf's own class, which is no ValueError
            raise CodecError("a model is none") from error
        if not check(proto):
            check_acyclic(proto.graph)
        return proto

    def _wrapper(self, row: list[Any]) -> Any:
        from qonnx.core.modelwrapper import ModelWrapper

        return ModelWrapper(self._proto(row))


_Read = Callable[[_Reader, list[Any]], Any]
_READERS: dict[str, _Read] = {
    "int": _Reader._int,
    "text": _Reader._text,
    "list": _Reader._items,
    "tuple": lambda reader, row: tuple(reader._items(row)),
    "set": _Reader._set,
    "frozenset": lambda reader, row: frozenset(reader._set(row)),
    "dict": _Reader._dict,
    "bytes": _Reader._bytes,
    "array": _Reader._array,
    "model": _Reader._model,
    "proto": _Reader._proto,
    "wrapper": _Reader._wrapper,
}


def _json(text: bytes) -> dict[str, Any]:
    try:
        top = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CodecError(f"its text is no JSON: {type(error).__name__}") from error
    if not isinstance(top, dict) or set(top) != {"value", "rows", "segments"}:
        raise CodecError("its text is not that of a value")
    for name in ("rows", "segments"):
        if not isinstance(top[name], list) or len(top[name]) > MAX_ROWS:
            raise CodecError(f"its {name} are none, or too many")
    return cast("dict[str, Any]", top)


def _cut(view: memoryview, start: int, lengths: Sequence[Any]) -> list[memoryview]:
    """The segments behind the text, which must fill the buffer."""
    segments: list[memoryview] = []
    for length in lengths:
        start += -start % _ALIGNMENT
        if type(length) is not int or not 0 <= length <= len(view) - start:
            raise CodecError(f"segment {len(segments)} is not there")
        segments.append(view[start : start + length])
        start += length
    if start != len(view):
        raise CodecError(f"{len(view) - start} bytes behind its end")
    return segments


def _shown(value: Any) -> str:
    """A value in an error: short, and without running code of its class."""
    if type(value) not in _PLAIN:
        return f"of the type {type(value).__name__}"
    # The decimal digits of a huge number take long, and Python refuses to write them.
    text = hex(value) if type(value) is int and abs(value) >= _SMALL_INT else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
