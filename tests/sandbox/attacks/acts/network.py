"""Connections, of every kind that the machine has; all of them to the host's own listeners."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from typing import Any

from acts import raw

Facts = dict[str, Any]
_FASTOPEN = 0x20000000


def connect(facts: Facts) -> None:
    socket.create_connection(("127.0.0.1", facts["tcp"])).close()


def connect_raw(facts: Facts) -> None:
    _connected(socket.AF_INET, socket.SOCK_STREAM, _ipv4(facts["tcp"]))


def connect_ipv6(facts: Facts) -> None:
    socket.create_connection(("::1", facts["tcp6"])).close()


def connect_mapped_raw(facts: Facts) -> None:
    address = bytes(10) + b"\xff\xff" + bytes([127, 0, 0, 1])
    _connected(socket.AF_INET6, socket.SOCK_STREAM, _ipv6(facts["tcp6"], address))


def open_url(facts: Facts) -> None:
    import urllib.request

    urllib.request.urlopen(f"http://127.0.0.1:{facts['tcp']}/", timeout=0.2)


def send_datagram(facts: Facts) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"secret", ("127.0.0.1", facts["udp"]))


def send_datagram_raw(facts: Facts) -> None:
    fd = _socket(socket.AF_INET, socket.SOCK_DGRAM)
    address = _ipv4(facts["udp"])
    raw.call("sendto", fd, b"secret", 6, 0, address, len(address))


def resolve_raw(facts: Facts) -> None:
    """A look-up whose name is the secret, as a resolver would send it."""
    question = struct.pack("!6H", 1, 256, 1, 0, 0, 0) + b"\x06secret\0" + struct.pack("!2H", 1, 1)
    fd = _socket(socket.AF_INET, socket.SOCK_DGRAM)
    address = _ipv4(facts["udp"])
    raw.call("connect", fd, address, len(address))
    raw.call("write", fd, question, len(question))


def resolve(facts: Facts) -> bool:
    return bool(socket.getaddrinfo("localhost", 80))


def send_many_raw(facts: Facts) -> None:
    fd = _socket(socket.AF_INET, socket.SOCK_DGRAM)
    address = ctypes.create_string_buffer(_ipv4(facts["udp"]))
    data = ctypes.create_string_buffer(b"secret")
    vector = ctypes.create_string_buffer(struct.pack("=QQ", ctypes.addressof(data), 6))
    message = struct.pack(
        "=QIxxxxQQQQixxxxIxxxx",
        *(ctypes.addressof(address), 16, ctypes.addressof(vector), 1, 0, 0, 0, 0),
    )
    raw.call("sendmmsg", fd, message, 1, 0)


def send_fast_open(facts: Facts) -> None:
    with socket.socket() as sender:
        sender.sendto(b"secret", _FASTOPEN, ("127.0.0.1", facts["tcp"]))


def send_fast_open_raw(facts: Facts) -> None:
    fd = _socket(socket.AF_INET, socket.SOCK_STREAM)
    address = _ipv4(facts["tcp"])
    raw.call("sendto", fd, b"secret", 6, _FASTOPEN, address, len(address))


def families_raw(facts: Facts) -> list[str]:
    """Every family and kind of socket; those that could be made."""
    made = []
    for family in range(65):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
            fd = raw.call("socket", family, int(kind), 0)
            if fd >= 0:
                made.append(f"{family}/{int(kind)}")
                raw.call("close", fd)
    return made


def raw_sockets(facts: Facts) -> bool:
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close()
    return True


def socket_pair(facts: Facts) -> bool:
    for end in socket.socketpair():
        end.close()
    return True


def connect_unix(facts: Facts) -> None:
    with socket.socket(socket.AF_UNIX) as sender:
        sender.connect(facts["unix"])


def connect_unix_raw(facts: Facts) -> None:
    _connected(socket.AF_UNIX, socket.SOCK_STREAM, _unix(facts["unix"].encode() + b"\0"))


def connect_abstract(facts: Facts) -> None:
    with socket.socket(socket.AF_UNIX) as sender:
        sender.connect(f"\0{facts['abstract']}")


def connect_abstract_raw(facts: Facts) -> None:
    _connected(socket.AF_UNIX, socket.SOCK_STREAM, _unix(b"\0" + facts["abstract"].encode()))


def agent(facts: Facts) -> None:
    """As a client of the user's agents does it."""
    from multiprocessing.connection import Client

    Client(facts["unix"], "AF_UNIX").close()


def listen(facts: Facts) -> bool:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
    return True


def listen_raw(facts: Facts) -> bool:
    fd = _socket(socket.AF_INET, socket.SOCK_STREAM)
    address = _ipv4(0)
    bound = raw.call("bind", fd, address, len(address))
    return bound == 0 and raw.call("listen", fd, 1) == 0


def _socket(family: int, kind: int) -> int:
    """A socket; where there is none, standard output, to see what the next call gives."""
    fd = raw.call("socket", int(family), int(kind), 0)
    return fd if fd >= 0 else 1


def _connected(family: int, kind: int, address: bytes) -> None:
    fd = _socket(family, kind)
    raw.call("connect", fd, address, len(address))
    if fd > 2:
        os.close(fd)


def _ipv4(port: int) -> bytes:
    return struct.pack("=H", socket.AF_INET) + struct.pack("!H4B8x", port, 127, 0, 0, 1)


def _ipv6(port: int, address: bytes) -> bytes:
    head = struct.pack("=H", socket.AF_INET6) + struct.pack("!HI", port, 0)
    return head + address + bytes(4)


def _unix(name: bytes) -> bytes:
    return struct.pack("=H", socket.AF_UNIX) + name
