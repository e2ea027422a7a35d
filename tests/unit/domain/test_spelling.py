"""What somebody may have meant who wrote a name that there is not."""

from certwright.domain.spelling import ask_similar, list_similar

NAMES = ["Software Certificate", "Strong Keys", "Strong Key P-384", "alice", "bob"]


def test_similar_names_are_found_in_any_case_the_most_similar_first() -> None:
    assert list_similar("softwre certifcate", NAMES) == ["Software Certificate"]
    assert list_similar("strong key", NAMES)[0] == "Strong Keys"
    assert list_similar("Ali", NAMES) == ["alice"]
    assert list_similar("marry", NAMES) == []


def test_work_for_long_names_and_many_of_them_is_bounded() -> None:
    assert list_similar("a" * 100_000, NAMES) == []
    assert list_similar("user-20000", (f"user-{number}" for number in range(10_000, 10**9))) != []


def test_a_question_names_what_was_perhaps_meant() -> None:
    assert ask_similar("alic", NAMES) == "Did you mean alice?"
    assert ask_similar("strong keyz", NAMES) == "Did you mean one of these: Strong Keys, Strong Key P-384?"
    assert ask_similar("marry", NAMES) == ""
