"""Run fuzz targets side by side: ``python -m fuzz [--seconds 60] [--at-once 2] [TARGET ...]``; exit status 1 for a finding."""

import argparse
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from fuzz.seeds import ROOT, list_seeds
from fuzz.targets import TARGETS

CORPORA = ROOT / ".fuzz"
"""What was found to reach new lines is kept here for the next run; not part of the repository."""
GRACE_SECONDS = 120


def main() -> None:
    """Print for each target how many inputs it was given, and the end of what was said of a finding."""
    parser = argparse.ArgumentParser(prog="python -m fuzz")
    parser.add_argument("--seconds", type=int, default=60, help="how long each target runs")
    parser.add_argument("--at-once", type=int, default=os.cpu_count() or 1, help="how many run side by side")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; all, when none is named")
    wanted = parser.parse_args()
    unknown = set(wanted.targets) - set(TARGETS)
    if unknown:
        parser.error(f"there is no target {', '.join(sorted(unknown))}")
    with ThreadPoolExecutor(wanted.at_once) as threads:
        outcomes = list(threads.map(lambda name: run(name, wanted.seconds), wanted.targets or TARGETS))
    sys.exit(0 if all(outcomes) else 1)


def run(name: str, seconds: int) -> bool:
    """Return whether nothing was found."""
    corpus = CORPORA / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(list_seeds(name)):
        (corpus / f"seed-{number}").write_bytes(seed)
    command = [sys.executable, "-m", "fuzz.one", name, str(corpus), str(seconds)]
    done = subprocess.run(
        command, check=False, cwd=ROOT, capture_output=True, text=True, errors="replace", timeout=seconds + GRACE_SECONDS
    )
    said = done.stderr + done.stdout
    executed = _find(r"stat::number_of_executed_units:\s*(\d+)", said)
    reached = _find(r"cov: (\d+)", said)
    print(
        f"{name:8} {executed:>9} executions, {reached:>6} places reached, {len(list(corpus.iterdir())):>5} inputs kept", end=""
    )
    print("" if done.returncode == 0 else f", FINDING (exit status {done.returncode})")
    if done.returncode:
        print(said[-4_000:])
    return done.returncode == 0


def _find(pattern: str, text: str) -> str:
    found = re.findall(pattern, text)
    return str(found[-1]) if found else "?"


if __name__ == "__main__":
    main()
