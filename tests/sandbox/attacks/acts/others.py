"""Other processes: signals, limits, priorities, and their memory. The victim is there for this."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct
from typing import Any

from acts import raw

Facts = dict[str, Any]
_PTRACE_ATTACH, _PTRACE_DETACH, _PTRACE_SEIZE = 16, 17, 0x4206
_KCMP_FILE = 0
_WHO_PROCESS, _IDLE = 1, 3
_NOFILE = 7
_libc = ctypes.CDLL(None, use_errno=True)


def stop(facts: Facts) -> None:
    os.kill(facts["victim"], signal.SIGSTOP)


def kill_raw(facts: Facts) -> None:
    raw.call("kill", facts["victim"], int(signal.SIGKILL))


def probe_all(facts: Facts) -> bool:
    """Signal 0 reaches whom others would reach, and does nothing."""
    os.kill(-1, 0)
    return True


def probe_all_raw(facts: Facts) -> bool:
    return raw.call("kill", -1, 0) == 0


def kill_group(facts: Facts) -> bool:
    os.killpg(0, 0)
    return True


def tkill_raw(facts: Facts) -> None:
    raw.call("tkill", facts["victim"], int(signal.SIGKILL))


def tgkill_raw(facts: Facts) -> None:
    raw.call("tgkill", facts["victim"], facts["victim"], int(signal.SIGSTOP))


def queue_signal_raw(facts: Facts) -> None:
    information = struct.pack("=iii", signal.SIGTERM, 0, -1) + bytes(116)
    raw.call("rt_sigqueueinfo", facts["victim"], int(signal.SIGTERM), information)


def queue_thread_signal_raw(facts: Facts) -> None:
    information = struct.pack("=iii", signal.SIGTERM, 0, -1) + bytes(116)
    victim = facts["victim"]
    raw.call("rt_tgsigqueueinfo", victim, victim, int(signal.SIGTERM), information)


def signal_descriptor(facts: Facts) -> None:
    signal.pidfd_send_signal(os.pidfd_open(facts["victim"]), signal.SIGKILL)


def signal_descriptor_raw(facts: Facts) -> None:
    fd = raw.call("pidfd_open", facts["victim"], 0)
    raw.call("pidfd_send_signal", fd, int(signal.SIGKILL), None, 0)


def limit(facts: Facts) -> None:
    resource.prlimit(facts["victim"], resource.RLIMIT_NOFILE, (3, 3))


def limit_raw(facts: Facts) -> None:
    raw.call("prlimit64", facts["victim"], _NOFILE, struct.pack("=QQ", 3, 3), None)


def ask_limit_raw(facts: Facts) -> bool:
    old = ctypes.create_string_buffer(16)
    return raw.call("prlimit64", facts["victim"], _NOFILE, None, old) == 0


def raise_own_limit(facts: Facts) -> bool:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return True


def raise_own_limit_raw(facts: Facts) -> bool:
    old = ctypes.create_string_buffer(16)
    raw.call("prlimit64", 0, _NOFILE, None, old)
    return raw.call("prlimit64", 0, _NOFILE, old.raw, None) == 0


def setrlimit_raw(facts: Facts) -> bool:
    old = ctypes.create_string_buffer(16)
    raw.call("getrlimit", _NOFILE, old)
    return raw.call("setrlimit", _NOFILE, old.raw) == 0


def nice(facts: Facts) -> None:
    os.setpriority(os.PRIO_PROCESS, facts["victim"], 19)


def nice_raw(facts: Facts) -> None:
    raw.call("setpriority", 0, facts["victim"], 19)


def io_priority_raw(facts: Facts) -> None:
    raw.call("ioprio_set", _WHO_PROCESS, facts["victim"], _IDLE << 13)


def scheduler(facts: Facts) -> None:
    os.sched_setscheduler(facts["victim"], os.SCHED_BATCH, os.sched_param(0))


def scheduler_raw(facts: Facts) -> None:
    raw.call("sched_setscheduler", facts["victim"], os.SCHED_IDLE, struct.pack("=i", 0))


def affinity(facts: Facts) -> None:
    os.sched_setaffinity(facts["victim"], {0})


def affinity_raw(facts: Facts) -> None:
    raw.call("sched_setaffinity", facts["victim"], 8, struct.pack("=Q", 1))


def real_time(facts: Facts) -> bool:
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return True


def real_time_raw(facts: Facts) -> bool:
    done = raw.call("sched_setscheduler", 0, os.SCHED_RR, struct.pack("=i", 1)) == 0
    raw.call("sched_setscheduler", 0, os.SCHED_OTHER, struct.pack("=i", 0))
    return done


def deadline_raw(facts: Facts) -> bool:
    attributes = struct.pack("=IIQiIQQQ", 48, 6, 0, 0, 0, 10**6, 10**7, 10**7)
    done = raw.call("sched_setattr", 0, attributes, 0) == 0
    raw.call("sched_setscheduler", 0, os.SCHED_OTHER, struct.pack("=i", 0))
    return done


def trace_raw(facts: Facts) -> bool:
    victim = facts["victim"]
    done = raw.call("ptrace", _PTRACE_ATTACH, victim, 0, 0) == 0
    if done:
        os.waitpid(victim, 0x40000000)
        raw.call("ptrace", _PTRACE_DETACH, victim, 0, 0)
    return done


def trace(facts: Facts) -> bool:
    """Through the C library, as Python has no function for it."""
    done: bool = _libc.ptrace(_PTRACE_SEIZE, facts["victim"], None, None) == 0
    return done


def read_memory(facts: Facts) -> str:
    buffer = ctypes.create_string_buffer(64)
    return _moved("process_vm_readv", facts, buffer, buffer)


def write_memory_raw(facts: Facts) -> None:
    buffer = ctypes.create_string_buffer(b"evil")
    _moved("process_vm_writev", facts, buffer, buffer)


def advise_raw(facts: Facts) -> bool:
    fd = raw.call("pidfd_open", facts["victim"], 0)
    page = facts["address"] & ~4095
    vector = struct.pack("=QQ", page, 4096)
    return raw.call("process_madvise", fd, vector, 1, 20, 0) == 4096


def compare_raw(facts: Facts) -> bool:
    victim = facts["victim"]
    return not raw.failed(raw.call("kcmp", victim, victim, _KCMP_FILE, 0, 0))


def take_descriptor_raw(facts: Facts) -> str:
    fd = raw.call("pidfd_open", facts["victim"], 0)
    got = raw.call("pidfd_getfd", fd, facts["victim_fd"], 0)
    buffer = ctypes.create_string_buffer(256)
    count = raw.call("pread64", got, buffer, 256, 0)
    return buffer.raw[: max(0, count)].decode()


def open_process(facts: Facts) -> bool:
    os.close(os.pidfd_open(facts["victim"]))
    return True


def _moved(name: str, facts: Facts, source: Any, target: Any) -> str:
    local = struct.pack("=QQ", ctypes.addressof(target), len(target) - 1)
    remote = struct.pack("=QQ", facts["address"], len(target) - 1)
    count = raw.call(name, facts["victim"], local, 1, remote, 1, 0)
    return target.raw.rstrip(b"\0").decode(errors="replace") if count > 0 else ""


# Who a plugin could become


def become_root(facts: Facts) -> bool:
    os.setuid(0)
    return True


def become_root_raw(facts: Facts) -> bool:
    return raw.call("setresuid", 0, 0, 0) == 0


def join_groups(facts: Facts) -> bool:
    os.setgroups([0])
    return True


def capabilities(facts: Facts) -> bool:
    """Whether it has any: what a privileged process may do is not asked for here."""
    head = struct.pack("=Ii", 0x20080522, 0)
    data = ctypes.create_string_buffer(24)
    raw.call("capget", head, data)
    return any(data.raw)


def override_modes(facts: Facts) -> str:
    """A file that it may reach, and whose mode lets nobody read it."""
    with open(facts["locked"]) as file:
        return file.read()


def set_capabilities_raw(facts: Facts) -> bool:
    head = struct.pack("=Ii", 0x20080522, 0)
    data = ctypes.create_string_buffer(24)
    raw.call("capget", head, data)
    return raw.call("capset", head, data.raw) == 0
