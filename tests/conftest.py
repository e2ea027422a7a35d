"""For all tests."""

import os
from collections.abc import Generator
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings

# On a loaded machine, an example takes as long as it takes.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

NO_SKIPS_VARIABLE = "CERTWRIGHT_NO_SKIPS"
"""Where it is set, a skipped test fails: somebody promised that nothing is missing."""

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
