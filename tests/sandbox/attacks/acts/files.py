"""Files: reading the user's, changing anybody's, filling the disk, and looking around."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import struct
from collections.abc import Callable
from typing import Any

from acts import raw

Facts = dict[str, Any]
_MIB = 1 << 20


def read_passwd(facts: Facts) -> str:
    with open("/etc/passwd") as file:
        return file.read()


def read_passwd_raw(facts: Facts) -> str:
    return raw.content("/etc/passwd")


def read_shadow_raw(facts: Facts) -> str:
    return raw.content("/etc/shadow")


def _opened(name: str) -> Callable[[Facts], str]:
    def act(facts: Facts) -> str:
        with open(facts[name]) as file:
            return file.read()

    return act


def _opened_raw(name: str) -> Callable[[Facts], str]:
    return lambda facts: raw.content(facts[name])


read_ssh_key = _opened("ssh")
read_ssh_key_raw = _opened_raw("ssh")
read_aws = _opened("aws")
read_netrc_raw = _opened_raw("netrc")
read_pypirc_raw = _opened_raw("pypirc")
read_credentials = _opened("credentials")
read_other_plugin = _opened("other")
read_other_plugin_raw = _opened_raw("other")
read_through_link = _opened("link")
read_through_link_raw = _opened_raw("link")
read_hard_link = _opened("alias")


def read_openat2(facts: Facts) -> str:
    how = struct.pack("=QQQ", os.O_RDONLY, 0, 0)
    return raw.read(raw.call("openat2", raw.AT_FDCWD, facts["secret"].encode(), how, len(how)))


def read_open_raw(facts: Facts) -> str:
    return raw.read(raw.call("open", facts["secret"].encode(), 0))


def traverse(facts: Facts) -> str:
    with open(f"{facts['plugin']}/../home/secret") as file:
        return file.read()


def traverse_raw(facts: Facts) -> str:
    return raw.content(f"{facts['plugin']}/.//..//home/./secret")


def list_home(facts: Facts) -> list[str]:
    return os.listdir(facts["home"])


def list_home_raw(facts: Facts) -> bool:
    return raw.open_(facts["home"], os.O_RDONLY | os.O_DIRECTORY) >= 0


def stat_secret(facts: Facts) -> bool:
    return os.stat(facts["secret"]).st_size > 0


def stat_secret_raw(facts: Facts) -> bool:
    return raw.call("faccessat", raw.AT_FDCWD, facts["secret"].encode(), 0) == 0


def read_link(facts: Facts) -> str:
    return os.readlink(facts["pointer"])


def magic_root(facts: Facts) -> str:
    with open(f"/proc/self/root{facts['secret']}") as file:
        return file.read()


def magic_cwd_raw(facts: Facts) -> str:
    raw.call("chdir", facts["plugin"].encode())
    return raw.content("/proc/self/cwd/../home/secret")


def magic_fd_raw(facts: Facts) -> str:
    fd = raw.open_(facts["secret"], os.O_PATH)
    return raw.content(f"/proc/self/fd/{fd}")


def path_fd_raw(facts: Facts) -> str:
    folder = raw.open_(facts["home"], os.O_PATH | os.O_DIRECTORY)
    return raw.read(raw.call("openat", folder, b"secret", 0))


def change_folder(facts: Facts) -> str:
    os.chdir(facts["plugin"])
    os.chdir("..")
    with open("home/secret") as file:
        return file.read()


def change_folder_raw(facts: Facts) -> str:
    folder = raw.open_(facts["plugin"], os.O_PATH | os.O_DIRECTORY)
    raw.call("fchdir", folder)
    return raw.content("../home/secret")


def file_handle_raw(facts: Facts) -> str:
    return raw.read(_reopened(facts, raw.AT_FDCWD))


def handle_name_raw(facts: Facts) -> bool:
    handle = bytearray(struct.pack("=II", 128, 0) + bytes(128))
    mount = ctypes.c_int()
    buffer = (ctypes.c_char * len(handle)).from_buffer(handle)
    path = facts["secret"].encode()
    given = raw.call("name_to_handle_at", raw.AT_FDCWD, path, buffer, ctypes.byref(mount), 0)
    return not raw.failed(given)


def _reopened(facts: Facts, at: int) -> int:
    handle = (ctypes.c_char * 136).from_buffer(bytearray(struct.pack("=II", 128, 0) + bytes(128)))
    mount = ctypes.c_int()
    path = facts["secret"].encode()
    raw.call("name_to_handle_at", at, path, handle, ctypes.byref(mount), 0)
    folder = raw.open_(facts["plugin"], os.O_RDONLY | os.O_DIRECTORY)
    return raw.call("open_by_handle_at", folder, handle, os.O_RDONLY)


def get_xattr_raw(facts: Facts) -> bool:
    buffer = ctypes.create_string_buffer(256)
    result = raw.call("getxattr", facts["secret"].encode(), b"user.mark", buffer, 256)
    return not raw.failed(result) or result == -errno.ENODATA


# What a plugin could change


def write_bashrc(facts: Facts) -> None:
    with open(facts["bashrc"], "a") as file:
        file.write("evil\n")


def write_bashrc_raw(facts: Facts) -> None:
    _append(facts["bashrc"])


def write_unit(facts: Facts) -> None:
    with open(f"{facts['home']}/evil.service", "w") as file:
        file.write("[Service]\n")


def write_own_source(facts: Facts) -> None:
    with open(f"{facts['plugin']}/code.py", "a") as file:
        file.write("evil\n")


def write_own_source_raw(facts: Facts) -> None:
    _append(f"{facts['plugin']}/code.py")


def write_pth(facts: Facts) -> None:
    with open(f"{facts['site']}/evil.pth", "w") as file:
        file.write("import evil\n")


def poison_cache_raw(facts: Facts) -> None:
    _append(f"{facts['site']}/__pycache__/code.pyc")


def write_temporary(facts: Facts) -> None:
    with open(f"{facts['scratch']}/one", "w") as file:
        file.write("x" * 1000)


def write_temporary_raw(facts: Facts) -> None:
    _append(f"{facts['scratch']}/one")


def write_shared_memory(facts: Facts) -> None:
    with open(facts["shm"], "w") as file:
        file.write("x")


def write_shared_memory_raw(facts: Facts) -> None:
    _append(facts["shm"])


def fill_disk_raw(facts: Facts) -> None:
    fd = raw.open_(f"{facts['scratch']}/large", os.O_WRONLY | os.O_CREAT)
    raw.call("fallocate", fd, 0, 0, 4 * _MIB)


def many_files(facts: Facts) -> None:
    for index in range(1000):
        os.close(os.open(f"{facts['scratch']}/{index}", os.O_CREAT | os.O_WRONLY))


def many_folders_raw(facts: Facts) -> None:
    for index in range(1000):
        raw.call("mkdirat", raw.AT_FDCWD, f"{facts['scratch']}/{index}".encode(), 0o700)


def many_links(facts: Facts) -> None:
    for index in range(1000):
        os.symlink("x", f"{facts['scratch']}/{index}")


def make_node_raw(facts: Facts) -> None:
    raw.call("mknodat", raw.AT_FDCWD, f"{facts['scratch']}/node".encode(), 0o10600, 0)


def hard_link(facts: Facts) -> None:
    os.link(facts["secret"], f"{facts['plugin']}/mine")


def hard_link_raw(facts: Facts) -> None:
    _two_paths("linkat", facts["secret"], f"{facts['plugin']}/mine", 0)


def rename(facts: Facts) -> None:
    os.rename(facts["secret"], f"{facts['plugin']}/mine")


def rename_raw(facts: Facts) -> None:
    _two_paths("renameat2", facts["secret"], f"{facts['plugin']}/mine", 0)


def unlink(facts: Facts) -> None:
    os.unlink(facts["secret"])


def unlink_raw(facts: Facts) -> None:
    raw.call("unlinkat", raw.AT_FDCWD, facts["secret"].encode(), 0)


def chmod(facts: Facts) -> None:
    os.chmod(facts["secret"], 0o777)


def chmod_raw(facts: Facts) -> None:
    raw.call("fchmodat", raw.AT_FDCWD, facts["secret"].encode(), 0o777)


def chmod_own_raw(facts: Facts) -> None:
    fd = raw.open_(f"{facts['plugin']}/code.py")
    raw.call("fchmod", fd, 0o777)


def chown(facts: Facts) -> bool:
    os.chown(facts["secret"], os.getuid(), os.getgid())
    return True


def chown_raw(facts: Facts) -> bool:
    path = facts["secret"].encode()
    return raw.call("fchownat", raw.AT_FDCWD, path, os.getuid(), os.getgid(), 0) == 0


def change_times(facts: Facts) -> None:
    os.utime(facts["secret"], (1, 1))


def change_times_raw(facts: Facts) -> None:
    times = struct.pack("=4q", 1, 0, 1, 0)
    raw.call("utimensat", raw.AT_FDCWD, facts["secret"].encode(), times, 0)


def set_xattr(facts: Facts) -> bool:
    os.setxattr(facts["secret"], "user.mark", b"evil")
    return True


def set_xattr_raw(facts: Facts) -> bool:
    return raw.call("setxattr", facts["secret"].encode(), b"user.mark", b"evil", 4, 0) == 0


def truncate(facts: Facts) -> None:
    os.truncate(f"{facts['plugin']}/code.py", 0)


def truncate_raw(facts: Facts) -> None:
    raw.call("truncate", f"{facts['plugin']}/code.py".encode(), 0)


def open_truncated(facts: Facts) -> None:
    os.close(os.open(f"{facts['plugin']}/code.py", os.O_RDONLY | os.O_TRUNC))


def open_truncated_raw(facts: Facts) -> None:
    raw.open_(f"{facts['plugin']}/code.py", os.O_RDONLY | os.O_TRUNC)


def lock(facts: Facts) -> bool:
    with open(f"{facts['plugin']}/code.py") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return True


def _two_paths(name: str, source: str, target: str, flags: int) -> None:
    cwd = raw.AT_FDCWD
    raw.call(name, cwd, source.encode(), cwd, target.encode(), flags)


def _append(path: str) -> None:
    fd = raw.open_(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    if fd >= 0:
        raw.call("write", fd, b"evil\n", 5)
        raw.call("close", fd)


# What a plugin could learn from the system's own trees


def proc_of_victim(facts: Facts) -> str:
    with open(f"/proc/{facts['victim']}/environ") as file:
        return file.read()


def proc_cmdline_raw(facts: Facts) -> str:
    return raw.content(f"/proc/{facts['victim']}/cmdline")


def proc_maps(facts: Facts) -> str:
    with open(f"/proc/{facts['victim']}/maps") as file:
        return "map" * bool(file.readline())


def proc_mem_raw(facts: Facts) -> str:
    fd = raw.open_(f"/proc/{facts['victim']}/mem")
    buffer = ctypes.create_string_buffer(64)
    raw.call("pread64", fd, buffer, 64, facts["address"])
    return buffer.raw.decode(errors="replace").strip("\0")


def proc_root_raw(facts: Facts) -> str:
    return raw.content(f"/proc/{facts['victim']}/root{facts['secret']}")


def proc_descriptors(facts: Facts) -> bool:
    return len(os.listdir(f"/proc/{facts['victim']}/fd")) > 0


def proc_descriptors_raw(facts: Facts) -> str:
    return raw.content(f"/proc/{facts['victim']}/fd/{facts['victim_fd']}")


def own_memory(facts: Facts) -> bool:
    mark = ctypes.create_string_buffer(b"before")
    with open("/proc/self/mem", "r+b", buffering=0) as file:
        file.seek(ctypes.addressof(mark))
        file.write(b"after!")
    return mark.value == b"after!"


def own_memory_raw(facts: Facts) -> bool:
    mark = ctypes.create_string_buffer(b"before")
    fd = raw.open_("/proc/self/mem", os.O_RDWR)
    raw.call("pwrite64", fd, b"after!", 6, ctypes.addressof(mark))
    return mark.value == b"after!"


def kernel_memory(facts: Facts) -> bool:
    path = next(p for p in ("/proc/kcore", "/proc/kmsg") if os.path.exists(p))
    os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
    return True


def system_request_raw(facts: Facts) -> bool:
    """It opens one, and writes nothing."""
    paths = ("/proc/sysrq-trigger", "/proc/sys/vm/drop_caches")
    path = next(path for path in paths if os.path.exists(path))
    return raw.open_(path, os.O_WRONLY) >= 0


def system_setting(facts: Facts) -> bool:
    with open("/proc/sys/kernel/hostname", "r+") as file:
        name = file.read()
        file.seek(0)
        file.write(name)
    return True


def odd_spelling_raw(facts: Facts) -> bool:
    path = "//proc/./self/../sys//kernel/../kernel/core_pattern"
    fd = raw.open_(path, os.O_RDWR)
    text = ctypes.create_string_buffer(256)
    count = raw.call("pread64", fd, text, 256, 0)
    return count > 0 and raw.call("pwrite64", fd, text, count, 0) == count


def sys_tree(facts: Facts) -> str:
    with open("/sys/kernel/uevent_seqnum") as file:
        return "seen" * bool(file.read())


def chroot(facts: Facts) -> str:
    os.chroot(facts["home"])
    with open("/secret") as file:
        return file.read()


def chroot_raw(facts: Facts) -> bool:
    return raw.call("chroot", facts["home"].encode()) == 0


def pivot_root_raw(facts: Facts) -> bool:
    # It needs a mount of its own; without one the kernel says so, after it has checked.
    home = facts["home"].encode()
    return raw.call("pivot_root", home, home) in (-errno.EINVAL, -errno.EBUSY)
