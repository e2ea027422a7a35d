"""``python -m certwright`` is the command line, and so is the program ``certwright``."""

import importlib

from certwright.interrupts import end_quietly


def run() -> None:
    """Run the command that the command line names."""
    end_quietly()
    # Imported now, so that Ctrl-C is seen to while it is.
    importlib.import_module("certwright.wire.cli").main()


if __name__ == "__main__":
    run()
