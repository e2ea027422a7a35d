"""Ctrl-C: the first one ends a command with what has to be done at its end, the next one at once; neither shows a traceback.

What is imported here is there already when Python starts, or nearly so: until then, Ctrl-C is Python's own.
"""

import os
import signal
import sys
import termios
from types import FrameType, TracebackType

SHOW_CURSOR = b"\x1b[?25h"
"""What a spinner had hidden. Source: DECTCEM, ECMA-48 private mode 25."""


def end_quietly() -> None:
    """Let Ctrl-C end this program as described above, at any moment from now on."""
    terminal = _Terminal()

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        # What is done at the end may take long, or hang: the next Ctrl-C does not wait for it. What is stored is whole then, as
        # after a crash.
        signal.signal(signal.SIGINT, end)
        raise KeyboardInterrupt

    def end(number: int, _: FrameType | None) -> None:
        terminal.restore()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    # A program that was started in the background ignores Ctrl-C, and goes on doing so.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, interrupt)
    sys.excepthook = _hide_interrupt
    sys.unraisablehook = _hide_unraisable_interrupt


class _Terminal:
    """The terminal as it was at the start: a prompt for a password switches its echo off."""

    def __init__(self) -> None:
        try:
            self._before = termios.tcgetattr(0)
        except (termios.error, OSError):
            self._before = []

    def restore(self) -> None:
        if not self._before:
            return
        try:
            termios.tcsetattr(0, termios.TCSANOW, self._before)
            if os.isatty(2):
                os.write(2, SHOW_CURSOR)
        except (termios.error, OSError):
            return


def _hide_interrupt(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)


def _hide_unraisable_interrupt(told: "sys.UnraisableHookArgs") -> None:
    if not issubclass(told.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(told)
