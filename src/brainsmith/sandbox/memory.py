"""Memory files: how data goes to a worker and comes back, never through a path."""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import weakref
from collections.abc import Sequence

_BUFFERS = 512
_IN = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
_SIZE_ONLY = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW
_FLAGS = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
_FAILED = ctypes.c_void_p(-1).value

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = (
    *(ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long),
)
_libc.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
_libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
_MADV_COLD = 20
_page = ctypes.c_char()

Buffer = bytes | bytearray | memoryview


def sealed(buffers: Sequence[Buffer]) -> int:
    """A memory file with these contents, which nobody can change any more; its descriptor."""
    fd = os.memfd_create("brainsmith-call", _FLAGS)
    try:
        views = [memoryview(buffer).cast("B") for buffer in buffers if len(buffer)]
        while views:
            done = os.writev(fd, views[:_BUFFERS])
            while views and done >= len(views[0]):
                done -= len(views.pop(0))
            if done:
                views[0] = views[0][done:]
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _IN)
    except BaseException:
        os.close(fd)
        raise
    return fd


def answer_file(size: int) -> int:
    """An empty memory file that can never hold more than `size` bytes; its descriptor.

    Only what is written takes memory.
    """
    fd = os.memfd_create("brainsmith-answer", _FLAGS)
    try:
        os.ftruncate(fd, size)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SIZE_ONLY)
    except BaseException:
        os.close(fd)
        raise
    return fd


def freeze(fd: int) -> None:
    """Makes an answer unchangeable.

    Raises:
        OSError: somebody still has it mapped for writing (EBUSY).
    """
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL)


def settle() -> None:
    """In a writer, when it has written: saves the host from waiting in `freeze`.

    Pages that a processor has just filled wait in a list of its own, and as long as they do the
    kernel believes them in use; to freeze them it then waits for every processor. This advice on
    a page that nobody cares for empties the list of this one.
    """
    _libc.madvise(ctypes.addressof(_page) & -mmap.PAGESIZE, mmap.PAGESIZE, _MADV_COLD)


def mapped(fd: int) -> memoryview:
    """The contents of a memory file, read-only, without a copy; they outlive the descriptor.

    Raises:
        OSError: there is no room for them.
    """
    size = os.fstat(fd).st_size
    if size == 0:
        return memoryview(b"")
    # Not by the module `mmap`, which keeps a descriptor of its own for every map.
    address = _libc.mmap(None, size, mmap.PROT_READ, mmap.MAP_PRIVATE, fd, 0)
    if address == _FAILED:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    # The classes of arrays are kept for good, so there is one for each power of two.
    buffer = (ctypes.c_char * (1 << (size - 1).bit_length())).from_address(address)
    weakref.finalize(buffer, _libc.munmap, address, size).atexit = False
    return memoryview(buffer).cast("B")[:size].toreadonly()
