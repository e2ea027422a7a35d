"""Keeps the memory of a process, which has keys and passwords in it, out of files and debuggers."""

import ctypes
import resource
import sys

PR_SET_DUMPABLE = 4


def forbid_core_dumps() -> None:
    """Let no core file be made of this process, whatever ends it, and no process of the same user look into its memory.

    The limit goes over to programs that this one starts; that it cannot be looked into does not.

    Source: core(5): where cores are piped into a program, the limit alone does not count; prctl(2), PR_SET_DUMPABLE.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux" and ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "core dumps cannot be forbidden")
