"""What fuzzing begins with, and what it once found, is read or refused as it should be; also without atheris."""

import pytest

from fuzz.seeds import list_seeds
from fuzz.targets import TARGETS


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
