"""For all tests."""

import os
import signal
from collections.abc import Generator, Iterator
from functools import cache
from typing import TypeVar

import pytest
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from hypothesis import HealthCheck, settings

from certwright.adapters.keys import key_encryption

# On a loaded machine, an example takes as long as it takes.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

# Tests start hundreds of programs: compiling the package for each of them would take a fifth of their time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# What a script starts in the background ignores Ctrl-C, and so would all programs that tests start, and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

NO_SKIPS_VARIABLE = "CERTWRIGHT_NO_SKIPS"
"""Where it is set, a skipped test fails: somebody promised that nothing is missing."""


class RememberingScrypt:
    """scrypt itself, with all its cost, once for the same input: tests open the same installation again and again."""

    def __init__(self, *, salt: bytes, length: int, n: int, r: int, p: int) -> None:
        self._numbers = (salt, length, n, r, p)

    def derive(self, key_material: bytes) -> bytes:
        """Return what scrypt makes of the passphrase."""
        return _derive(*self._numbers, key_material)


@cache
def _derive(salt: bytes, length: int, n: int, r: int, p: int, key_material: bytes) -> bytes:
    return Scrypt(salt=salt, length=length, n=n, r=r, p=p).derive(key_material)


@pytest.fixture(scope="session", autouse=True)
def derive_once() -> Iterator[None]:
    """Let the process of the tests, not the programs that it starts, derive each key from its passphrase once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(key_encryption, "Scrypt", RememberingScrypt)
        yield


Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _refuse_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _refuse_skip((yield))


def _refuse_skip(report: Report) -> Report:
    is_expected_failure = hasattr(report, "wasxfail")
    if os.environ.get(NO_SKIPS_VARIABLE) and report.skipped and not is_expected_failure:
        report.outcome = "failed"
        report.longrepr = f"Skipped, where nothing may be missing: {report.longrepr}"
    return report
