"""One spelling for each security identifier, and none of Windows' own for a person or a group."""

import pytest

from certwright.domain.rules.sids import find_sid_fault, is_sid

DOMAIN = "S-1-5-21-2127521184-1604012920-1887927527"


@pytest.mark.parametrize("sid", [f"{DOMAIN}-1001", f"{DOMAIN}-4294967295", f"{DOMAIN}-513", "S-1-12-1-1-2-3-4"])
def test_accounts_and_groups_have_these(sid: str) -> None:
    assert find_sid_fault(sid) is None


@pytest.mark.parametrize(
    "sid",
    [
        f"{DOMAIN}-014995601",
        f"{DOMAIN}-4294967296",
        f"{DOMAIN}-99999999999",
        f"{DOMAIN}-\u0661",
        f"{DOMAIN}-",
        f"{DOMAIN}-1001\n",
        f" {DOMAIN}-1001",
        DOMAIN.lower() + "-1001",
        "S-1-05-21-1-2-3-1001",
        "S-01-5-21-1-2-3-1001",
        "S-2-5-21-1-2-3-1001",
        "S-1-5",
        "S-1-5-21" + "-1" * 15,
        "",
    ],
)
def test_another_spelling_is_none(sid: str) -> None:
    assert not is_sid(sid)
    assert find_sid_fault(sid)


@pytest.mark.parametrize(
    "sid",
    [
        "S-1-0-0",
        "S-1-1-0",
        "S-1-2-0",
        "S-1-3-0",
        "S-1-5-7",
        "S-1-5-11",
        "S-1-5-18",
        "S-1-5-19",
        "S-1-5-20",
        "S-1-5-5-0-999",
        "S-1-5-32-544",
        "S-1-5-80-1-2-3-4-5",
        "S-1-15-2-1",
        "S-1-16-12288",
        "S-1-18-1",
        "S-1-5-21-0-0-0-497",
        DOMAIN,
        f"{DOMAIN}-1001-1",
    ],
)
def test_a_sid_of_the_system_is_nobodys_own(sid: str) -> None:
    assert is_sid(sid)
    assert find_sid_fault(sid)
