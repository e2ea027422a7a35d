"""Regular expressions for the answers to data items: what they match, what is refused, and that none takes long."""

import pytest

from certwright.adapters.patterns import LIMIT_CHARACTERS, Re2Patterns
from certwright.domain.errors import MalformedValue

PATTERNS = Re2Patterns()


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("[0-9]{4}", "4711", True),
        ("[0-9]{4}", "47110", False),
        ("[0-9]{4}", "x4711", False),
        ("a|ab", "ab", True),
        ("a$", "a\n", False),
        ("a.c", "a\nc", False),
        ("(?i)corp-[a-z]+", "CORP-x", True),
        (r"\p{L}+", "Müller", True),
        ("", "", True),
        ("", "x", False),
    ],
)
def test_a_pattern_is_for_the_whole_text(pattern: str, text: str, matches: bool) -> None:
    assert PATTERNS.is_match(pattern, text) is matches


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*$", "(a|aa)+$", "(a*)*b?$", "a{0,500}a{0,500}$"])
def test_what_blows_up_elsewhere_answers_at_once(pattern: str) -> None:
    assert not PATTERNS.is_match(pattern, "a" * 3_999 + "!")


@pytest.mark.parametrize("pattern", [r"(a)\1", "(?=a)a", "(?<=a)b", "(", "[", "*", "a{2000}", "((a{100}){100}){100}"])
def test_what_re2_does_not_take_is_refused_with_a_reason(pattern: str) -> None:
    fault = PATTERNS.find_fault(pattern)
    assert fault
    with pytest.raises(MalformedValue) as refused:
        PATTERNS.is_match(pattern, "a")
    assert (refused.value.field, fault in refused.value.text) == ("pattern", True)


def test_a_pattern_may_reach_its_limit_and_no_further() -> None:
    assert PATTERNS.find_fault("x" * LIMIT_CHARACTERS) is None
    assert str(LIMIT_CHARACTERS) in (PATTERNS.find_fault("x" * (LIMIT_CHARACTERS + 1)) or "")


def test_a_fault_is_told_and_not_printed(capfd: pytest.CaptureFixture[str]) -> None:
    assert PATTERNS.find_fault("(")
    assert capfd.readouterr() == ("", "")
