"""Files from strangers whose reading may take hours: tried first in a process that may compute only so long.

The iteration count of a PFX, up to 2^31-1, stands in several places, some of them encrypted, and the library that opens it has
no limit and cannot be interrupted.
"""

import os
import resource
import signal

from certwright.domain.errors import ExternalFileUnreadable, Refused
from certwright.formats.external_files import is_protected, parse_external_file

MOST_SECONDS = 20
"""Of computing: more than twenty million iterations."""


def check_opens_in_time(name: str, content: bytes, password: str, *, most_seconds: int = MOST_SECONDS) -> None:
    """Refuse a file whose opening under *password* takes longer than *most_seconds* of computing; other faults pass.

    Errors: ExternalFileUnreadable.
    """
    if not is_protected(content):
        return
    child = os.fork()
    if child == 0:
        _try(name, content, password, most_seconds)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL):
        detail = f"opening it takes more than {most_seconds} seconds of computing, so its iteration count is too high"
        raise ExternalFileUnreadable(name, detail)


def _try(name: str, content: bytes, password: str, most_seconds: int) -> None:
    """End this process, a copy, after the file was read or the time is over."""
    try:
        signal.signal(signal.SIGXCPU, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CPU, (most_seconds, most_seconds + 1))
        parse_external_file(name, content, password)
    except (Refused, OSError, ValueError):
        # What is wrong with the file is found once more, and told, by whoever reads it.
        os._exit(1)
    finally:
        os._exit(0)
