"""The host watches one call: refused system calls, what is printed, the limits, the answer."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import signal
import time
from dataclasses import dataclass, field

from brainsmith.sandbox import frame, memory, seccomp
from brainsmith.sandbox.confinement import Confinement
from brainsmith.sandbox.frame import FrameError, Status
from brainsmith.sandbox.outcome import (
    Died,
    Exceeded,
    Malformed,
    Outcome,
    Returned,
    Threw,
    Unconfined,
    Violated,
    Violation,
)
from brainsmith.sandbox.policy import SandboxPolicy
from brainsmith.sandbox.seccomp import Notification
from brainsmith.sandbox.witness import Verdict, Witness
from brainsmith.sandbox.zygotes import Worker, WorkerLostError

_KEPT = 1 << 20  # bytes of what a call prints
_FLOOD = 64 * _KEPT
_PIECE = 1 << 16


@dataclass
class Supervisor:
    """Watches a worker from its request to its end.

    Args:
        worker: the process.
        pid: its number here.
        listener: where the kernel tells of its system calls; None where it is not filtered.
        confinement: what it is confined to.
        policy: its limits.
        answer: the memory file that it writes to.
        status: a pipe on which it says that it has answered.
        output: a pipe with what it prints.
        report_only: whether it goes on after a refused system call.
    """

    worker: Worker
    pid: int
    listener: int | None
    confinement: Confinement
    policy: SandboxPolicy
    answer: int
    status: int
    output: int
    report_only: bool = False
    violations: list[Violation] = field(default_factory=list)
    printed: bytearray = field(default_factory=bytearray)
    _flood: int = 0
    _witness: Witness | None = None

    def watch(self) -> Outcome:
        """How the call ends.

        Raises:
            WorkerLostError: the zygote ended, and the worker with it.
        """
        deadline = time.monotonic() + self.policy.wall_time
        self._poll = select.poll()
        for fd in (self.status, self.output):
            self._poll.register(fd, select.POLLIN)
        if self.listener is not None:
            seccomp.hasten(self.listener)
            self._witness = Witness(self.pid, self.confinement)
            self._poll.register(self.listener, select.POLLIN)
        try:
            while True:
                left = deadline - time.monotonic()
                if left <= 0:
                    return Exceeded("wall_time")
                for fd, _ in self._poll.poll(left * 1e3 + 1):
                    outcome = self._on(fd)
                    if outcome is not None:
                        return outcome
        finally:
            self._drain()
            if self._witness is not None:
                self._witness.close()

    def _on(self, fd: int) -> Outcome | None:
        if fd == self.listener:
            return self._on_system_call()
        if fd == self.status:
            return self._on_status()
        return self._on_end() if fd == self.worker.report else self._on_output()

    def _on_system_call(self) -> Outcome | None:
        assert self.listener is not None and self._witness is not None
        try:
            call = seccomp.receive(self.listener)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.EINTR):  # it ended while it waited
                return None
            self._poll.unregister(self.listener)  # all of it ended
            return None
        verdict = self._witness.judge(call)
        if verdict.violation is not None:
            self.violations.append(verdict.violation)
            if not self.report_only:
                self.worker.kill()
                return Violated(verdict.violation)
        self._reply(call, verdict)
        return None

    def _reply(self, call: Notification, verdict: Verdict) -> None:
        """Tells the kernel; the worker may have been killed meanwhile."""
        assert self.listener is not None
        with contextlib.suppress(OSError):
            if verdict.opened is not None:
                self._hand_over(call, verdict.opened)
            elif verdict.error is None:
                seccomp.answer_continue(self.listener, call.id)
            else:
                seccomp.answer(self.listener, call.id, verdict.error)

    def _hand_over(self, call: Notification, fd: int) -> None:
        """Gives the worker a copy of a descriptor, or the reason why it can have none."""
        assert self.listener is not None
        try:
            seccomp.answer_descriptor(self.listener, call.id, fd)
        except OSError as error:
            seccomp.answer(self.listener, call.id, error.errno or errno.EMFILE)
        finally:
            os.close(fd)

    def _on_output(self) -> Outcome | None:
        data = os.read(self.output, _PIECE)
        if not data:
            self._poll.unregister(self.output)
        self._flood += len(data)
        self.printed += data[: max(0, _KEPT - len(self.printed))]
        return Exceeded("printed") if self._flood > _FLOOD else None

    def _on_status(self) -> Outcome | None:
        if not os.read(self.status, 1):
            # It ended, or has closed this: then it lives on, and its time runs on.
            self._poll.unregister(self.status)
            self._poll.register(self.worker.report, select.POLLIN)
            return None
        try:
            memory.freeze(self.answer)
            status, payload = frame.read(memory.mapped(self.answer))
            if status == Status.VALUE:
                return Returned(payload)
            raised = frame.Raised.load(bytes(payload))
        except FrameError as error:
            return Malformed(str(error))
        except OSError:
            return Malformed("it can still be changed from inside")
        if status == Status.UNCONFINED:
            return Unconfined(f"{raised.type}: {raised.message}")
        if raised.type == "MemoryError":
            return Exceeded("memory")
        if raised.type == frame.TOO_LARGE:
            return Exceeded("output_size")
        return Threw(raised)

    def _on_end(self) -> Outcome:
        """The zygote tells how the worker ended."""
        report = os.read(self.worker.report, _PIECE)
        if not report:
            raise WorkerLostError("the zygote ended")
        code = json.loads(report)["status"]
        if code >= 0:
            return Died(f"it ended with exit status {code} and no answer")
        number = -code
        cpu = self.policy.cpu_time
        used = json.loads(report)["cpu"]
        if number == signal.SIGXCPU or (number == signal.SIGKILL and used >= cpu):
            return Exceeded("cpu_time")
        if number == signal.SIGXFSZ:
            return Exceeded("output_size")
        if number == signal.SIGSYS:
            return Violated(Violation("a system call of another machine", "foreign-abi"))
        return Died(f"it was killed by {_signal_name(number)}")

    def _drain(self) -> None:
        """What was printed last."""
        os.set_blocking(self.output, False)
        with contextlib.suppress(BlockingIOError):
            while len(self.printed) < _KEPT and (data := os.read(self.output, _PIECE)):
                self.printed += data


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
