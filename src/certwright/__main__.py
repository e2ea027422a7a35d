"""``python -m certwright`` is the command line."""

from certwright.wire.cli import main

main()
