"""What fuzzing begins with, and what it once found, is read or refused as it should be; also without atheris."""

import pytest

from certwright.domain.errors import ExternalFileUnreadable
from certwright.wire.cli.bounded import check_opens_in_time
from fuzz.seeds import VECTORS, list_seeds
from fuzz.targets import PFX_PASSWORD, PFX_SECONDS, TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_and_findings_are_read_or_refused(name: str) -> None:
    seeds = list(list_seeds(name))
    assert len(seeds) > 5
    for seed in seeds:
        TARGETS[name](seed)


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_seeds_are_read_or_refused(name: str) -> None:
    for seed in list(list_seeds(name))[::5]:
        for position in range(0, len(seed), 1 + len(seed) // 40):
            TARGETS[name](seed[:position] + bytes([seed[position] ^ 0x81]) + seed[position + 1 :])
            TARGETS[name](seed[:position])


def test_a_pfx_with_the_most_iterations_is_tried_in_bounded_time() -> None:
    # Without a bound it is opened for an hour, far longer than any run.
    content = (VECTORS / "files" / "most-iterations.p12").read_bytes()
    with pytest.raises(ExternalFileUnreadable, match="its iteration count is too high"):
        check_opens_in_time("most-iterations.p12", content, PFX_PASSWORD, most_seconds=PFX_SECONDS)
    TARGETS["pfx"](content)
