"""Messages with descriptors between the host, its zygote and a worker: small, one packet each."""

from __future__ import annotations

import array
import json
import socket
from collections.abc import Sequence
from typing import Any

MAX_SIZE = 1 << 17
MAX_FDS = 253  # of one message, by the kernel
_FD = array.array("i").itemsize


def pair() -> tuple[socket.socket, socket.socket]:
    """Both ends of a channel on which a message arrives whole or not at all."""
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in ends:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * MAX_SIZE)
    return ends


def send(channel: socket.socket, message: dict[str, Any], fds: Sequence[int] = ()) -> None:
    """Sends a message and copies of descriptors.

    Raises:
        OSError: the other end is gone, or the message is too large.
    """
    data = json.dumps(message).encode()
    if len(data) > MAX_SIZE:
        raise OSError(f"a message of {len(data)} bytes is too large for a worker")
    socket.send_fds(channel, [data], list(fds), socket.MSG_NOSIGNAL)


def receive(channel: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """The next message and its descriptors.

    Raises:
        EOFError: the other end is gone.
    """
    data, ancillary, _, _ = channel.recvmsg(
        MAX_SIZE, socket.CMSG_SPACE(MAX_FDS * _FD), socket.MSG_CMSG_CLOEXEC
    )
    fds = array.array("i")
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(content[: len(content) - len(content) % _FD])
    if not data:
        raise EOFError
    return json.loads(data), list(fds)
