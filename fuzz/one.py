"""Fuzz one target with atheris: ``python -m fuzz.one TARGET CORPUS SECONDS``. Options of libFuzzer may follow."""

import contextlib
import io
import sys
import warnings
from pathlib import Path

import atheris

with contextlib.redirect_stderr(io.StringIO()), atheris.instrument_imports(include=["certwright"]):
    from fuzz.targets import TARGETS

LONGEST_INPUT_OCTETS = 8_192
PATIENCE_SECONDS = 25
"""An input that takes longer is a finding."""


def main() -> None:
    """Run until the time is over, or something is found; findings are written below fuzz/findings."""
    name, corpus, seconds, *options = sys.argv[1:]
    findings = Path(__file__).parent / "findings" / name
    findings.mkdir(parents=True, exist_ok=True)
    # What the library says of odd certificates is for people who hold them.
    warnings.simplefilter("ignore")
    arguments = [
        sys.argv[0],
        corpus,
        f"-max_total_time={seconds}",
        f"-max_len={LONGEST_INPUT_OCTETS}",
        f"-timeout={PATIENCE_SECONDS}",
        f"-artifact_prefix={findings}/",
        "-print_final_stats=1",
        "-rss_limit_mb=2048",
        *options,
    ]
    atheris.Setup(arguments, TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
