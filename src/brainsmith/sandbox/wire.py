"""How much a model's bytes would become, counted before they are parsed.

A message of two bytes becomes an object of a hundred, so a small proto can be a bomb. Only the
outlines are read here: which messages there are, how many, and how deep they lie in each other.
"""

from __future__ import annotations

from collections.abc import Iterator

from brainsmith.errors import ModelError

MAX_MESSAGES = 4_000_000
MAX_NESTING = 64

# The fields of each message that are messages themselves, by number (onnx.proto).
_LEAF: dict[int, str] = {}
_MESSAGES: dict[str, dict[int, str]] = {
    "model": {7: "graph", 8: "leaf", 14: "leaf", 20: "training", 25: "function", 26: "leaf"},
    "graph": {
        1: "node", 5: "tensor", 11: "value", 12: "value", 13: "value",
        14: "annotation", 15: "sparse", 16: "leaf",
    },
    "node": {5: "attribute", 9: "leaf", 10: "device"},
    "attribute": {
        5: "tensor", 6: "graph", 10: "tensor", 11: "graph",
        14: "type", 15: "type", 22: "sparse", 23: "sparse",
    },
    "tensor": {3: "leaf", 13: "leaf", 16: "leaf"},
    "sparse": {1: "tensor", 2: "tensor"},
    "value": {2: "type", 4: "leaf"},
    "type": {1: "shaped", 4: "shaped", 5: "shaped", 8: "shaped", 9: "shaped"},
    "shaped": {1: "type", 2: "shape"},
    "shape": {1: "leaf"},
    "annotation": {2: "leaf"},
    "function": {7: "node", 9: "leaf", 11: "attribute", 12: "value", 14: "leaf"},
    "training": {1: "graph", 2: "graph", 3: "leaf", 4: "leaf"},
    "device": {2: "shape"},
    "leaf": _LEAF,
}  # fmt: skip
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def check_size(proto: memoryview) -> None:
    """Looks through the bytes of a ModelProto.

    Raises:
        ModelError: it holds too many messages, nested too deep, or is no proto at all.
    """
    count = 0
    waiting = [("model", 0, len(proto), 0)]
    while waiting:
        kind, start, end, depth = waiting.pop()
        if depth > MAX_NESTING:
            raise ModelError(f"its messages are nested deeper than {MAX_NESTING} levels")
        inner = _MESSAGES[kind]
        for number, first, last in _fields(proto, start, end):
            if number in inner:
                count += 1
                if count > MAX_MESSAGES:
                    raise ModelError(f"it consists of more than {MAX_MESSAGES} messages")
                if inner[number] != "leaf":
                    waiting.append((inner[number], first, last, depth + 1))


def _fields(proto: memoryview, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Number, start and end of each field of a message that has a length."""
    while at < end:
        key, at = _varint(proto, at, end)
        kind = key & 7
        if kind == _VARINT:
            _, at = _varint(proto, at, end)
        elif kind == _BYTES:
            length, at = _varint(proto, at, end)
            if length > end - at:
                raise ModelError("its bytes were cut short")
            yield key >> 3, at, at + length
            at += length
        elif kind in (_FIXED32, _FIXED64):
            at += 8 if kind == _FIXED64 else 4
        else:
            raise ModelError("its bytes are no proto")


def _varint(proto: memoryview, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end and shift < 70:
        byte = proto[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    raise ModelError("its bytes were cut short")
