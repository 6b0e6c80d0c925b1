"""The rules that stand between a plugin's code and the machine, by name.

Every system call that a call of a plugin may not make belongs to one rule. A rule is what a message
names, and what the attack suite leaves out to see that it is needed.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """One rule: why it stands, and the system calls that it denies."""

    why: str
    syscalls: tuple[str, ...] = ()


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


RULES: dict[str, Rule] = {
    "files": Rule(
        "a plugin reads its own folder, the installed Python and what it was granted",
        _names(
            "open openat openat2 getxattr lgetxattr fgetxattr getxattrat listxattr llistxattr "
            "flistxattr listxattrat statmount listmount file_getattr cachestat"
        ),
    ),
    "file-changes": Rule(
        "a plugin changes no file",
        _names(
            "creat unlink unlinkat rename renameat renameat2 link linkat symlink symlinkat mkdir "
            "mkdirat rmdir mknod mknodat chmod fchmod fchmodat fchmodat2 chown fchown lchown "
            "fchownat utime utimes utimensat futimesat truncate setxattr lsetxattr fsetxattr "
            "setxattrat removexattr lremovexattr fremovexattr removexattrat fallocate sync syncfs "
            "copy_file_range sync_file_range flock fcntl file_setattr quotactl quotactl_fd"
        ),
    ),
    "file-handles": Rule(
        "a plugin opens files by their paths",
        _names("open_by_handle_at name_to_handle_at lookup_dcookie"),
    ),
    "processes": Rule(
        "a plugin starts no process", _names("fork vfork clone clone3 setsid setpgid")
    ),
    "exec": Rule("a plugin starts no program", _names("execve execveat")),
    "network": Rule(
        "a plugin talks to nobody",
        _names(
            "socket socketpair connect bind listen accept accept4 sendto sendmsg sendmmsg recvfrom "
            "recvmsg recvmmsg getsockname getpeername setsockopt getsockopt shutdown"
        ),
    ),
    "signals": Rule(
        "a plugin signals no process",
        _names("kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_send_signal"),
    ),
    "limits-of-others": Rule("a plugin changes no limits", _names("prlimit64 setrlimit")),
    "scheduling": Rule(
        "a plugin changes no priorities",
        _names(
            "setpriority ioprio_set ioprio_get sched_setscheduler sched_setparam sched_setattr "
            "sched_setaffinity"
        ),
    ),
    "introspection": Rule(
        "a plugin looks into no process",
        _names(
            "ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp "
            "pidfd_open pidfd_getfd get_robust_list uprobe uretprobe"
        ),
    ),
    "namespaces": Rule(
        "a plugin stays in its namespaces",
        _names(
            "unshare setns mount umount2 pivot_root chroot open_tree open_tree_attr move_mount "
            "fsopen fsconfig fsmount fspick mount_setattr sethostname setdomainname"
        ),
    ),
    "ipc": Rule(
        "a plugin shares no memory or queues",
        _names(
            "shmget shmat shmctl shmdt semget semop semctl semtimedop msgget msgsnd msgrcv msgctl "
            "mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr"
        ),
    ),
    "memory-files": Rule("a plugin makes no files in memory", _names("memfd_create memfd_secret")),
    "identity": Rule(
        "a plugin stays who it is",
        _names(
            "setuid setgid setreuid setregid setresuid setresgid setfsuid setfsgid setgroups capset"
        ),
    ),
    "clock": Rule(
        "a plugin sets no clock", _names("settimeofday clock_settime adjtimex clock_adjtime")
    ),
    "terminal": Rule("a plugin controls no device", _names("ioctl vhangup")),
    "own-filters": Rule(
        "a plugin does not change its confinement",
        _names(
            "seccomp prctl landlock_create_ruleset lsm_get_self_attr lsm_set_self_attr "
            "lsm_list_modules personality modify_ldt"
        ),
    ),
    "kernel": Rule(
        "a plugin needs none of this",
        _names(
            "bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register "
            "io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents keyctl add_key "
            "request_key init_module finit_module delete_module create_module query_module "
            "get_kernel_syms kexec_load kexec_file_load reboot swapon swapoff acct syslog iopl "
            "ioperm uselib ustat sysfs _sysctl nfsservctl getpmsg putpmsg afs_syscall tuxcall "
            "security vserver epoll_ctl_old epoll_wait_old fanotify_init fanotify_mark "
            "inotify_init inotify_init1 inotify_add_watch inotify_rm_watch splice tee vmsplice "
            "sendfile signalfd signalfd4 mlock mlock2 mlockall munlock munlockall migrate_pages "
            "move_pages set_mempolicy set_mempolicy_home_node pkey_alloc pkey_free pkey_mprotect "
            "remap_file_pages readahead map_shadow_stack mseal get_thread_area set_thread_area"
        ),
    ),
    "foreign-abi": Rule("a plugin makes system calls of this machine's kind only"),
    "descriptors": Rule("a plugin inherits no open files"),
    "environment": Rule("a plugin sees none of the user's variables"),
    "capabilities": Rule("a plugin has no privileges"),
    "memory": Rule("a call has a limit of memory"),
    "cpu_time": Rule("a call has a limit of processor time"),
    "wall_time": Rule("a call has a limit of time"),
    "output_size": Rule("an answer has a limit of size"),
    "open-files": Rule("a call has a limit of open files"),
    "core-dumps": Rule("a crash leaves no image of memory behind"),
}


def rule_of(name: str) -> str:
    """The rule that denies a system call; `kernel` for those that this table does not know."""
    return _by_syscall().get(name, "kernel")


@functools.cache
def _by_syscall() -> dict[str, str]:
    return {syscall: name for name, rule in RULES.items() for syscall in rule.syscalls}
