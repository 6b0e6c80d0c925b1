"""All attacks: those of the list, each with what is expected of the sandbox."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace

from brainsmith.sandbox.levels import Level
from tests.sandbox.attacks.case import BRIEF, NOBODY, OPEN, POLICY, ROOT, Attack

# What is tried, by its number. The acts of a number are in `ATTACKS`, or its tests are `ELSEWHERE`.
ROWS = {
    1: "a bomb of forks",
    2: "processes by other calls",
    3: "a bomb of threads",
    5: "memory that is used up",
    6: "shared and locked memory",
    7: "memory that is claimed and not touched",
    8: "higher limits for itself",
    9: "endless work",
    10: "endless sleep",
    11: "endless work that no signal ends",
    12: "endless work in C",
    13: "a deadlock",
    14: "a flood of output",
    16: "output that acts on a terminal",
    17: "a file that fills the disk",
    18: "files that fill the disk",
    19: "folders, links and nodes without end",
    21: "files in shared memory",
    22: "descriptors without end",
    23: "recursion without end",
    24: "crashes",
    25: "an end without an answer",
    26: "an image of memory left by a crash",
    27: "the system's files",
    28: "the user's secrets",
    29: "another plugin's sources",
    30: "changed plugins and packages",
    31: "changed settings of the user",
    32: "paths that lead up",
    34: "links, new names and removed files",
    36: "links of /proc",
    37: "another process by /proc",
    38: "its own memory by /proc",
    39: "the kernel's files",
    40: "changed modes, owners, times and locks",
    41: "emptied files",
    42: "what is there",
    43: "another root, another folder",
    44: "files by handles",
    46: "namespaces",
    47: "traced processes",
    48: "another process's memory",
    50: "another process's descriptors",
    51: "signals",
    52: "signals by other calls",
    54: "limits of other processes",
    55: "priorities of other processes",
    56: "processors of other processes",
    57: "inherited descriptors",
    59: "the terminal",
    60: "connections",
    61: "datagrams and look-ups of names",
    62: "data sent without a connection",
    63: "sockets of every family",
    64: "abstract sockets",
    65: "sockets that are files",
    67: "own services",
    68: "io_uring",
    69: "other parts of the kernel",
    70: "keys",
    71: "memory, semaphores and queues of System V and POSIX",
    73: "programs without a file",
    74: "programs",
    75: "variables that load code",
    76: "system calls of other machines",
    77: "personalities",
    78: "own filters",
    80: "a host that is kept busy or confused",
    81: "secrets in variables",
    82: "secrets in memory",
    83: "a host that is patched",
    84: "something left for the next call",
    85: "answers that are pickles",
    86: "answers that lie",
    88: "answers that are too large",
    90: "models that refer to files",
    92: "models that are bombs",
    93: "models that harm ONNX's checker",
    94: "models that load code",
    95: "figures that lie",
    96: "work that hides",
    98: "archives",
    99: "manifests",
    100: "code at installation and discovery",
    101: "clocks",
    102: "priorities of its own",
    104: "lost zygotes, killed hosts and many calls",
    106: "a watch that fails",
    107: "a machine that lacks a part",
    109: "privileges, and a sandbox in a sandbox",
    110: "timing of shared caches",
}
# Tests by their files below `tests`, for what is not one act; none where none can be.
_HOST, _MACHINES = "sandbox/attacks/test_host.py", "sandbox/attacks/test_machines.py"
_CODEC = "sandbox/test_codec.py"
ELSEWHERE: dict[int, tuple[tuple[str, str], ...]] = {
    80: (
        (_HOST, "test_wrong_pointers_do_not_disturb_the_watch"),
        (_HOST, "test_ten_thousand_questions_are_answered"),
        (_HOST, "test_a_number_that_is_no_system_call_is_refused"),
        (_HOST, "test_every_system_call_of_a_rule_is_refused_and_told"),
    ),
    83: ((_HOST, "test_a_host_that_is_patched_in_a_worker_is_not_patched_here"),),
    84: ((_HOST, "test_what_a_call_leaves_is_gone_for_the_next"),),
    86: (
        (_HOST, "test_an_answer_that_is_changed_while_it_is_read_is_one_answer"),
        (_HOST, "test_a_worker_that_closes_its_streams_has_no_more_time_than_others"),
    ),
    92: (
        (
            "sandbox/test_codec.py",
            "test_a_model_that_would_take_a_hundred_times_its_bytes_is_not_parsed",
        ),
    ),
    95: ((_HOST, "test_figures_are_the_host_s"),),
    96: ((_HOST, "test_work_in_another_thread_counts"),),
    98: (("plugins/test_archive.py", "test_a_hostile_archive_is_refused_and_leaves_nothing"),),
    99: (
        ("plugins/test_safe_yaml.py", "test_what_is_not_data_is_refused_with_its_line"),
        ("plugins/test_manifest.py", "test_a_name_that_could_deceive_is_refused"),
        ("plugins/test_names.py", "test_module_names_that_lead_elsewhere"),
    ),
    100: (
        ("plugins/test_discovery.py", "test_no_code_of_a_plugin_runs"),
        ("plugins/test_store.py", "test_installing_is_unpacking_and_a_record"),
    ),
    104: (
        ("sandbox/test_execution.py", "test_many_threads_get_their_own_answers"),
        (_HOST, "test_many_calls_at_once_get_their_own_answers_and_output"),
        (_HOST, "test_calls_go_on_while_zygotes_are_killed"),
        (_MACHINES, "test_nothing_survives_a_caller_that_is_killed"),
        (_MACHINES, "test_forks_of_a_host_make_calls_of_their_own"),
    ),
    106: (
        (_HOST, "test_a_watch_that_fails_ends_the_worker"),
        (_HOST, "test_an_interrupted_caller_leaves_no_worker"),
    ),
    107: (
        (_MACHINES, "test_without_landlock_the_call_is_refused"),
        (_MACHINES, "test_without_filters_the_call_is_refused"),
        (_MACHINES, "test_without_user_namespaces_l3_holds_and_l4_says_why_not"),
        (_MACHINES, "test_a_step_of_confinement_that_fails_is_no_call"),
    ),
    109: (
        (_HOST, "test_a_sandbox_in_a_sandbox_is_refused"),
        (_MACHINES, "test_every_attack_of_an_ordinary_user_is_ended"),
    ),
    110: (),
}

_ABSENT = "FileNotFoundError"
_PROCESSOR = replace(POLICY, cpu_time=0.5, wall_time=120)


def _of(row: int, module: str, names: str, rule: str, **more: object) -> Iterator[Attack]:
    """Attacks that one rule denies, and that go the same way."""
    more.setdefault("expected", f"DENY {rule}")
    for name in names.split():
        yield Attack(row, f"{module}:{name}", (rule,), **more)  # type: ignore[arg-type]


def _processes() -> Iterator[Attack]:
    yield from _of(1, "processes", "fork_bomb fork_raw", "processes")
    yield from _of(2, "processes", "subprocess_run posix_spawn clone_raw vfork_raw", "processes")
    yield from _of(2, "processes", "system", "processes", effect="files")
    yield from _of(2, "processes", "clone3_raw", "processes", expected="CONTAIN")
    yield from _of(
        2,
        "processes",
        "new_session new_session_raw",
        "processes",
        control=NOBODY,
        why="a control arm leads its session already",
    )
    yield from _of(3, "processes", "threads", "memory", expected="CONTAIN RuntimeError")
    yield from _of(3, "processes", "threads_raw", "memory", expected="CONTAIN")
    yield from _of(
        73, "processes", "exec_memory_file exec_memory_file_raw", "memory-files", effect="files"
    )
    yield from _of(73, "processes", "memory_file secret_memory_raw", "memory-files")
    yield from _of(74, "processes", "execv execve_raw execveat_raw", "exec", effect="files")
    yield from _of(74, "processes", "exec_setuid", "exec", effect="files", control=ROOT)


def _memory() -> Iterator[Attack]:
    yield from _of(5, "limits", "memory_bomb sparse", "memory", expected="LIMIT memory")
    yield from _of(5, "limits", "memory_bomb_raw", "memory", expected="CONTAIN")
    yield from _of(6, "limits", "shared_memory_bomb", "memory", expected="CONTAIN OSError")
    yield from _of(6, "limits", "shared_memory_bomb_raw", "memory", expected="CONTAIN")
    yield from _of(6, "kernel", "lock_memory lock_all_memory_raw", "kernel")
    yield from _of(7, "limits", "sparse", "memory", expected="LIMIT memory")
    yield from _of(7, "limits", "sparse_raw", "memory", expected="CONTAIN")
    yield from _of(
        8, "others", "raise_own_limit raise_own_limit_raw setrlimit_raw", "limits-of-others"
    )


def _time() -> Iterator[Attack]:
    used = {"expected": "KILL cpu_time", "effect": "endless", "policy": _PROCESSOR}
    over = {"expected": "KILL wall_time", "effect": "endless", "policy": BRIEF}
    yield from _of(9, "limits", "spin spin_raw", "cpu_time", **used)
    yield from _of(10, "limits", "sleep sleep_raw", "wall_time", **over)
    yield from _of(11, "limits", "spin_deaf", "wall_time", **over)
    yield from _of(11, "limits", "spin_deaf_raw", "cpu_time", **used)
    yield from _of(12, "limits", "power slow_pattern", "wall_time", **over)
    yield from _of(13, "limits", "deadlock deadlock_raw", "wall_time", **over)


def _crashes() -> Iterator[Attack]:
    def died(row: int, names: str, how: str, effect: str = "crash") -> Iterator[Attack]:
        for name in names.split():
            yield Attack(row, f"limits:{name}", (), f"DIED {how}", effect)

    yield from died(23, "recurse recurse_in_c", "SIGSEGV")
    yield from died(24, "null_pointer null_pointer_raw", "SIGSEGV")
    yield from died(24, "abort", "SIGABRT")
    yield from died(24, "illegal_instruction_raw", "SIGILL")
    yield from died(25, "exit_quietly exit_quietly_raw", "without an answer", "silence")
    yield Attack(25, "limits:exit_politely", (), "CONTAIN SystemExit", "silence")
    yield from _of(25, "limits", "kill_self", "signals", effect="crash")
    yield from died(25, "kill_self_raw", "SIGKILL")
    yield from _of(26, "limits", "core_dumps core_dumps_raw", "core-dumps", expected="CONTAIN")


def _output() -> Iterator[Attack]:
    for name in ("flood", "flood_raw"):
        yield Attack(14, f"limits:{name}", (), "LIMIT printed", "output")
    for name in ("print_escapes", "print_escapes_raw"):
        yield Attack(16, f"limits:{name}", (), "CONTAIN", "output")
    yield from _of(22, "limits", "descriptors", "open-files", expected="CONTAIN OSError")
    yield from _of(22, "limits", "descriptors_raw", "open-files", expected="CONTAIN")


def _writing() -> Iterator[Attack]:
    opened = {"effect": "files"}
    yield from _of(
        17, "files", "write_temporary write_temporary_raw fill_disk_raw", "files", **opened
    )
    yield from _of(18, "files", "many_files", "files", **opened)
    yield from _of(
        19, "files", "many_folders_raw many_links make_node_raw", "file-changes", **opened
    )
    yield from _of(21, "files", "write_shared_memory write_shared_memory_raw", "files", **opened)
    yield from _of(
        30,
        "files",
        "write_own_source write_own_source_raw write_pth poison_cache_raw",
        "files",
        **opened,
    )
    yield from _of(31, "files", "write_bashrc write_bashrc_raw write_unit", "files", **opened)
    yield from _of(
        34,
        "files",
        "hard_link hard_link_raw rename rename_raw unlink unlink_raw",
        "file-changes",
        **opened,
    )
    yield from _of(
        40,
        "files",
        "chmod chmod_raw chmod_own_raw change_times change_times_raw set_xattr set_xattr_raw",
        "file-changes",
        **opened,
    )
    yield from _of(40, "files", "chown chown_raw lock", "file-changes")
    yield from _of(41, "files", "truncate truncate_raw", "file-changes", **opened)
    yield from _of(41, "files", "open_truncated open_truncated_raw", "files", **opened)


def _reading() -> Iterator[Attack]:
    told = {"effect": "secret"}
    yield from _of(27, "files", "read_passwd read_passwd_raw", "files")
    yield from _of(27, "files", "read_shadow_raw", "files", control=ROOT)
    yield from _of(
        28,
        "files",
        "read_ssh_key read_ssh_key_raw read_aws read_netrc_raw "
        "read_pypirc_raw read_credentials read_openat2 read_open_raw",
        "files",
        **told,
    )
    yield from _of(29, "files", "read_other_plugin read_other_plugin_raw", "files", **told)
    yield from _of(32, "files", "traverse traverse_raw", "files", **told)
    yield from _of(34, "files", "read_through_link read_through_link_raw", "files", **told)
    yield Attack(
        34,
        "files:read_hard_link",
        (),
        OPEN,
        "secret",
        why="a second name inside a granted folder is granted; archives of plugins with "
        "links are refused",
    )
    yield from _of(36, "files", "magic_root", "files", at={Level.L4: f"CONTAIN {_ABSENT}"}, **told)
    yield from _of(36, "files", "magic_cwd_raw", "files", at={Level.L4: "CONTAIN"}, **told)
    yield from _of(36, "files", "magic_fd_raw", "files", **told)
    yield from _of(
        37,
        "files",
        "proc_of_victim proc_mem_raw proc_root_raw proc_descriptors_raw",
        "files",
        **told,
    )
    yield from _of(37, "files", "proc_cmdline_raw proc_maps", "files")
    yield from _of(38, "files", "own_memory own_memory_raw", "files")
    yield from _of(
        39,
        "files",
        "kernel_memory system_request_raw system_setting odd_spelling_raw",
        "files",
        control=ROOT,
    )
    yield from _of(39, "files", "sys_tree", "files")
    yield from _of(42, "files", "list_home list_home_raw", "files")
    for name in ("stat_secret", "stat_secret_raw", "read_link"):
        why = "Landlock does not hide that a file is there; namespaces do"
        gone = {Level.L4: "CONTAIN" if name.endswith("_raw") else f"CONTAIN {_ABSENT}"}
        yield Attack(42, f"files:{name}", (), OPEN, why=why, at=gone)
    yield from _of(43, "files", "change_folder change_folder_raw path_fd_raw", "files", **told)
    yield from _of(43, "files", "chroot", "namespaces", control=ROOT, **told)
    yield from _of(43, "files", "chroot_raw pivot_root_raw", "namespaces", control=ROOT)
    yield from _of(44, "files", "file_handle_raw", "file-handles", control=ROOT, **told)
    yield from _of(44, "files", "handle_name_raw", "file-handles")
    yield from _of(42, "files", "get_xattr_raw", "files")


def _others() -> Iterator[Attack]:
    harm = {"effect": "victim"}
    yield from _of(46, "kernel", "unshare_user unshare_raw", "namespaces")
    yield from _of(46, "kernel", "clone_namespace_raw", "processes")
    yield from _of(46, "kernel", "enter_namespace_raw", "namespaces")
    yield from _of(
        46, "kernel", "mount_raw mount_context_raw host_name", "namespaces", control=ROOT
    )
    yield from _of(47, "others", "trace trace_raw", "introspection")
    yield from _of(48, "others", "read_memory", "introspection", effect="secret")
    yield from _of(48, "others", "write_memory_raw", "introspection", **harm)
    yield from _of(48, "others", "advise_raw", "introspection", control=ROOT)
    yield from _of(50, "others", "compare_raw open_process", "introspection")
    yield from _of(50, "others", "take_descriptor_raw", "introspection", effect="secret")
    yield from _of(50, "files", "proc_descriptors", "files")
    yield from _of(51, "others", "stop kill_raw", "signals", **harm)
    yield from _of(51, "others", "probe_all probe_all_raw kill_group", "signals")
    yield from _of(
        52,
        "others",
        "tkill_raw tgkill_raw queue_signal_raw queue_thread_signal_raw",
        "signals",
        **harm,
    )
    for name in ("signal_descriptor", "signal_descriptor_raw"):
        rules = ("introspection", "signals")
        yield Attack(52, f"others:{name}", rules, "DENY introspection", **harm)  # type: ignore[arg-type]
    yield from _of(54, "others", "limit limit_raw", "limits-of-others", **harm)
    yield from _of(54, "others", "ask_limit_raw", "limits-of-others")
    yield from _of(
        55, "others", "nice nice_raw io_priority_raw scheduler scheduler_raw", "scheduling", **harm
    )
    yield from _of(56, "others", "affinity affinity_raw", "scheduling", **harm)
    yield from _of(
        102, "others", "real_time real_time_raw deadline_raw", "scheduling", control=ROOT
    )
    yield from _of(
        109, "others", "become_root become_root_raw join_groups", "identity", control=ROOT
    )
    yield from _of(109, "others", "set_capabilities_raw", "identity")
    yield from _of(109, "others", "capabilities", "capabilities", expected="CONTAIN", control=ROOT)
    yield from _of(
        109,
        "others",
        "override_modes",
        "capabilities",
        effect="secret",
        expected="CONTAIN PermissionError",
        control=ROOT,
        at={Level.L2: OPEN} if os.geteuid() == 0 else {},
    )


def _network() -> Iterator[Attack]:
    reached = {"effect": "connection"}
    yield from _of(
        60,
        "network",
        "connect connect_raw connect_ipv6 connect_mapped_raw open_url",
        "network",
        **reached,
    )
    yield from _of(
        61, "network", "send_datagram send_datagram_raw resolve_raw", "network", **reached
    )
    yield Attack(61, "network:resolve", ("network", "files"), "DENY network")
    yield from _of(
        62, "network", "send_many_raw send_fast_open send_fast_open_raw", "network", **reached
    )
    yield from _of(63, "network", "families_raw raw_sockets socket_pair", "network")
    yield from _of(64, "network", "connect_abstract connect_abstract_raw", "network", **reached)
    yield from _of(65, "network", "connect_unix connect_unix_raw agent", "network", **reached)
    yield from _of(67, "network", "listen listen_raw", "network")


def _kernel() -> Iterator[Attack]:
    yield from _of(
        59,
        "kernel",
        "type_into_terminal type_into_terminal_raw",
        "terminal",
        control=ROOT,
        terminal=True,
    )
    yield from _of(59, "kernel", "console_raw", "terminal")
    yield from _of(68, "kernel", "io_ring_raw io_ring_enter_raw", "kernel")
    yield from _of(69, "kernel", "bpf_raw watch_all_raw", "kernel", control=ROOT)
    yield from _of(69, "kernel", "perf_raw fault_handling_raw watch_raw", "kernel")
    yield from _of(70, "kernel", "add_key_raw key_ring_raw request_key_raw", "kernel")
    yield from _of(
        71,
        "kernel",
        "shared_memory shared_memory_raw semaphores_raw message_queue_raw posix_queue_raw",
        "ipc",
    )
    yield from _of(69, "kernel", "splice_raw asynchronous_raw", "kernel")
    yield from _of(69, "kernel", "reboot_raw", "kernel", control=ROOT)
    yield from _of(76, "kernel", "x32_raw i386_raw", "foreign-abi")
    yield from _of(76, "kernel", "segments_raw", "own-filters")
    yield from _of(77, "kernel", "personality_raw", "own-filters")
    yield from _of(
        78, "kernel", "own_filter own_filter_raw own_landlock_raw hide_raw", "own-filters"
    )
    yield from _of(101, "kernel", "set_time set_time_raw", "clock", control=ROOT)
    yield from _of(101, "kernel", "adjust_time_raw", "clock")


def _leaks() -> Iterator[Attack]:
    told = {"effect": "secret", "expected": "CONTAIN"}
    yield from _of(
        57,
        "leaks",
        "descriptors",
        "descriptors",
        expected="CONTAIN",
        effect="secret",
        inherits=True,
    )
    yield from _of(
        57, "leaks", "open_descriptors_raw", "descriptors", expected="CONTAIN", inherits=True
    )
    yield from _of(75, "leaks", "loader_variables", "environment", expected="CONTAIN")
    yield from _of(81, "leaks", "environment environment_raw print_secret", "environment", **told)
    yield from _of(81, "leaks", "environment_file", "files", effect="secret")
    yield from _of(82, "leaks", "objects heap_raw stack_raw", "environment", **told)


def _answers() -> Iterator[Attack]:
    lies = (
        "garbage garbage_raw wrong_magic wrong_version wrong_kind wrong_padding too_long "
        "half_of_all negative no_payload truncated trailing not_data deep huge_number "
        "raised_no_json raised_wrong_fields raised_huge mapped mapped_raw"
    )
    for name in lies.split():
        more = (
            {"control": NOBODY, "why": "it changes nothing that it says"}
            if name == "no_answer"
            else {}
        )
        yield Attack(86, f"answers:{name}", (), "REJECT", "answer", **more)  # type: ignore[arg-type]
    yield Attack(85, "answers:pickle_in_answer", (), "REJECT", "answer")
    yield Attack(
        85,
        "answers:pickle_returned",
        (),
        "CONTAIN CodecError",
        control=NOBODY,
        why="it is harmless until somebody unpickles it",
    )
    yield Attack(86, "answers:said_unconfined", (), "UNCONFINED", "answer")
    yield Attack(86, "answers:grown", (), "CONTAIN OSError")
    yield Attack(86, "answers:grown_raw", (), "CONTAIN")
    yield Attack(86, "answers:sealed_raw", ("file-changes",), "DENY file-changes")
    yield Attack(88, "answers:too_much", ("output_size",), "LIMIT output_size")
    yield Attack(88, "answers:too_much_raw", ("output_size",), "REJECT", "answer")


def _models() -> Iterator[Attack]:
    lies = {"control": NOBODY, "why": "a model harms nobody until it is loaded"}
    files = (
        "reads_above reads_absolute reads_below_and_above reads_link reads_far_away key_of_object"
    )
    for name in files.split():
        yield Attack(90, f"models:{name}", (), "REJECT", **lies)  # type: ignore[arg-type]
    for name in ["absurd_shape", "negative_shape", "cycle", "nested", "many_nodes", "no_graph"]:
        yield Attack(92, f"models:{name}", (), "REJECT", **lies)  # type: ignore[arg-type]
    yield Attack(92, "models:nested_without_end", (), "CONTAIN DecodeError", **lies)  # type: ignore[arg-type]
    yield from _of(92, "models", "infer_bomb", "memory", expected="LIMIT memory", effect="endless")
    yield Attack(93, "models:check_without_end", (), "CONTAIN ValidationError", **lies)  # type: ignore[arg-type]
    yield from _of(
        94, "models", "custom_library", "files", control=NOBODY, why="there is no such library here"
    )
    yield Attack(94, "models:python_operator", (), "CONTAIN", **lies)  # type: ignore[arg-type]


def attacks() -> Iterable[Attack]:
    """All of them, by their numbers."""
    tables = (
        _processes,
        _memory,
        _time,
        _crashes,
        _output,
        _writing,
        _reading,
        _others,
        _network,
        _kernel,
        _leaks,
        _answers,
        _models,
    )
    found = {attack.name: attack for table in tables for attack in table()}
    return sorted(found.values(), key=lambda attack: attack.row)


ATTACKS = tuple(attacks())
