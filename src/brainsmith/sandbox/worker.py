"""A worker: one process, one call. It confines itself, then runs a function on data.

Everything here runs in the worker. The host believes nothing that it says.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import importlib
import importlib.machinery
import importlib.util
import json
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

from brainsmith.errors import BrainsmithError
from brainsmith.sandbox import frame, memory, messages, privileges, seccomp
from brainsmith.sandbox.confinement import READY, Confinement, Halfway
from brainsmith.sandbox.frame import Raised, Status
from brainsmith.sandbox.levels import Level

# Descriptors of a worker; all others are closed.
STATUS, ANSWER, QUESTION, CONTROL = 3, 4, 5, 6
_KEPT = (0, 1, 2, CONTROL)
_PLACES = 4  # descriptors of a request that have a number of their own
_ASIDE = 32  # where descriptors wait until they get their numbers
DONE = b"."
_libc = ctypes.CDLL(None)
_SAMPLE = bytearray()
_UNTIL_QUICK = 12  # calls after which Python has specialised the code that they run


def warm_up(data: Mapping[str, Any]) -> Confinement:
    """In the zygote: makes what every worker would make, once."""
    confinement = Confinement.from_dict(data)
    without = frozenset(confinement.without)
    if confinement.level >= Level.L2:
        seccomp.program(
            confinement.profile, listened=True, witness=confinement.witness, without=without
        )
    if "brainsmith.sandbox.codec" in sys.modules:
        _SAMPLE.extend(_sample())
    for _ in range(_UNTIL_QUICK):
        rehearse()
    return confinement


def _sample() -> bytes:
    """A small model, as it comes to a worker."""
    from onnx import TensorProto, helper

    from brainsmith.model.model import Model
    from brainsmith.sandbox import codec

    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "sample", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    return b"".join(codec.dumps(("sample:Sample", {}, "apply", Model.from_proto(model), {})))


def serve(channel: socket.socket, confinement: Confinement) -> NoReturn:
    """Waits for the one request of this worker, answers it, and waits to be killed."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_DFL)
    os.dup2(channel.detach(), CONTROL, inheritable=False)
    if "descriptors" not in confinement.without:
        # First of all: with few descriptors allowed, those of the zygote could leave none.
        privileges.close_others(_KEPT)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    channel = socket.socket(fileno=CONTROL)
    rehearse()
    try:
        halfway: Halfway | None = Halfway.begin(confinement, channel)
        failure = None
    except OSError as error:  # the host is told as the answer to its request
        halfway, failure = None, error
        channel.send(READY)
    try:
        request, fds = messages.receive(channel)
    except EOFError:
        os._exit(0)  # the host needs no further worker
    _take_places(fds[:_PLACES])
    _answer(request, fds[_PLACES:], halfway, failure)
    memory.settle()
    os.write(STATUS, DONE)
    while True:  # the host reads what this process used, and ends it
        time.sleep(60)


def rehearse() -> None:
    """Does what a call does, on nothing, while there is time.

    A fork shares its memory with the zygote page by page until it first touches a page, and to
    touch some hundred of them takes longer than all the rest of a small call.
    """
    here = os.path.dirname(__file__)
    sys.path.insert(0, here)
    try:
        spec = importlib.util.find_spec("sample")
        assert spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader)
        spec.loader.source_to_code(spec.loader.get_data(spec.loader.path), spec.loader.path)
        find(json.loads(json.dumps({"paths": [], "function": "os:getcwd"}))["function"])()
        if _SAMPLE:
            _rehearse_call()
    finally:
        sys.path.remove(here)
        sys.path_importer_cache.pop(here, None)
        sys.modules.pop("sample", None)


def _rehearse_call() -> None:
    from brainsmith.sandbox import codec

    with _closing(memory.sealed([_SAMPLE])) as question:
        given = codec.loads(memory.mapped(question), own=True)
    value = find("brainsmith.sandbox.objects:call_method")(*given)
    with _closing(memory.answer_file(1 << 20)) as answer:
        frame.write(answer, Status.VALUE, codec.dumps(value))


@contextlib.contextmanager
def _closing(fd: int) -> Iterator[int]:
    try:
        yield fd
    finally:
        os.close(fd)


def _take_places(fds: Sequence[int]) -> None:
    """Gives the descriptors of a request (question, answer, status, output) their numbers."""
    question, answer, status, output = fds
    places = ((output, 1), (output, 2), (status, STATUS), (answer, ANSWER), (question, QUESTION))
    aside = [(fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _ASIDE), place) for fd, place in places]
    for fd in fds:
        os.close(fd)
    for fd, place in aside:
        os.dup2(fd, place, inheritable=place <= 2)
        os.close(fd)


def _answer(
    request: dict[str, Any],
    readable: Sequence[int],
    halfway: Halfway | None,
    failure: OSError | None,
) -> None:
    """Completes the confinement, runs what is asked for, and writes the answer."""
    try:
        question = memory.mapped(QUESTION)
        os.close(QUESTION)
        os.close(CONTROL)
        if halfway is None:
            raise failure or OSError("this worker is not confined")
        halfway.complete(readable)
    except BaseException as error:  # nothing of the plugin runs where this fails
        _write(Status.UNCONFINED, [_told(error).dump()])
        return
    try:
        sys.path[:0] = request["paths"]
        # Not before: it loads NumPy, of which the plugin may bring a version of its own.
        from brainsmith.sandbox import codec

        value = find(request["function"])(*codec.loads(question, own=True))
        buffers = codec.dumps(value)
    except BaseException as error:  # whatever it is, SystemExit included, is the answer
        _flush()
        _write(Status.RAISED, [_told(error).dump()])
        return
    _flush()
    _write(Status.VALUE, buffers)


def find(name: str) -> Any:
    """What `module:name` means; the module is imported."""
    module, _, attributes = name.partition(":")
    found: Any = importlib.import_module(module)
    for attribute in attributes.split("."):
        found = getattr(found, attribute)
    return found


def _write(status: Status, buffers: Sequence[memory.Buffer]) -> None:
    try:
        frame.write(ANSWER, status, buffers)
    except OSError as error:
        # The file is sealed at the size that an answer may have.
        large = error.errno in (errno.EPERM, errno.EFBIG, errno.ENOSPC)
        name = frame.TOO_LARGE if large else type(error).__name__
        frame.write(ANSWER, Status.RAISED, [Raised(name, str(error)).dump()])


def _told(error: BaseException) -> Raised:
    lines = "".join(traceback.format_exception(error))
    if isinstance(error, BrainsmithError):
        return Raised(type(error).__name__, error.what, lines, error.where, error.hint)
    try:
        message = str(error)
    except Exception:  # a class of the plugin's own
        message = "(its text cannot be had)"
    return Raised(type(error).__name__, message, lines)


def _flush() -> None:
    """What the plugin printed is told too, whatever it made of the streams."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # closed, or replaced by something else
            continue
    _libc.fflush(None)
