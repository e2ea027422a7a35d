"""Who runs a command: an account of the operating system, which the history names."""

import os
import pwd
from pathlib import Path

LOGIN_FILE = Path("/proc/self/loginuid")
NO_LOGIN = 0xFFFFFFFF
"""What the kernel says of a process that no login started. Source: audit_get_loginuid(3)."""


def find_operator() -> str:
    """Return the account that runs the program and, where it is another's, the one that had signed in to the machine."""
    name, login = _find_name(os.getuid()), _find_login()
    return name if login in (None, name) else f"{name} (signed in as {login})"


def _find_login() -> str | None:
    try:
        number = int(LOGIN_FILE.read_text("ascii"))
    except (OSError, ValueError):
        return None
    return None if number == NO_LOGIN else _find_name(number)


def _find_name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid {number}"
