"""Sign-in with passwords, on a real database."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from certwright.adapters.entropy import SystemEntropy
from certwright.adapters.signin.argon2 import Argon2Hasher
from certwright.adapters.signin.basic import BasicSignIn
from certwright.adapters.sql.schema import migrate
from certwright.adapters.sql.store import SqlStore, open_store
from certwright.domain.errors import CredentialsRejected, CurrentPasswordWrong, SignInThrottled
from certwright.domain.events import Event, EventType
from certwright.domain.identities import Caller, User
from worlds.clocks import SteppingClock
from worlds.contoso import OUTSIDER, SUBSCRIBER, SUBSCRIBER2

HERE = "192.0.2.1"
SECRET = "correct horse"


class CountingHasher(Argon2Hasher):
    """Argon2 with the least cost there is; counts how often anybody paid it."""

    def __init__(self) -> None:
        super().__init__(passes=1, memory_kib=64, lanes=1)
        self.hashes = 0

    def is_match(self, password: str, password_hash: str) -> bool:
        """Return what Argon2 says."""
        self.hashes += 1
        return super().is_match(password, password_hash)

    def burn(self, password: str) -> None:
        """Take as long."""
        self.hashes += 1
        super().burn(password)


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock()


@pytest.fixture
def hasher() -> CountingHasher:
    return CountingHasher()


@pytest.fixture
def store(tmp_path: Path, hasher: CountingHasher) -> Iterator[SqlStore]:
    url = f"sqlite:///{tmp_path}/store.db"
    migrate(url)
    store = open_store(url)
    with store.writing() as session:
        for each in (SUBSCRIBER, SUBSCRIBER2, OUTSIDER):
            session.directory.save_user(each.user)
        for each in (SUBSCRIBER, SUBSCRIBER2):
            session.directory.save_password_hash(each.user.id, hasher.hash(SECRET))
    yield store
    store.close()


@pytest.fixture
def sign_in(store: SqlStore, hasher: CountingHasher, clock: SteppingClock) -> BasicSignIn:
    return BasicSignIn(store, hasher, clock, SystemEntropy())


def attempt(sign_in: BasicSignIn, name: str, password: str = SECRET, source: str = HERE) -> Caller | None:
    credentials = base64.b64encode(f"{name}:{password}".encode()).decode()
    return sign_in.recall("Basic", credentials, source) or sign_in.authenticate("Basic", credentials, source)


def fail(sign_in: BasicSignIn, times: int, name: str = "subscriber") -> None:
    for _ in range(times):
        with pytest.raises(CredentialsRejected):
            attempt(sign_in, name, "wrong")


def save(store: SqlStore, user: User) -> None:
    with store.writing() as session:
        session.directory.save_user(user)


def list_events(store: SqlStore) -> list[Event]:
    with store.reading() as session:
        return list(session.history.list_unsealed(1_000))


@pytest.mark.parametrize(
    "name", ["subscriber", "SUBSCRIBER", "CORP\\subscriber", "corp\\Subscriber", "subscriber@corp.contoso.com"]
)
def test_an_account_signs_in_under_each_of_its_names(sign_in: BasicSignIn, name: str) -> None:
    caller = attempt(sign_in, name)
    assert caller is not None
    assert (caller.user, caller.source) == (SUBSCRIBER.user, HERE)


@pytest.mark.parametrize("name", ["subscriber", "nobody", "OTHER\\subscriber", "outsider", "nobody@corp.contoso.com"])
def test_who_does_not_know_the_password_is_rejected_after_one_hash(
    sign_in: BasicSignIn, hasher: CountingHasher, name: str
) -> None:
    with pytest.raises(CredentialsRejected):
        attempt(sign_in, name, "wrong")
    assert hasher.hashes == 1


def test_another_scheme_is_left_to_others(sign_in: BasicSignIn) -> None:
    assert sign_in.recall("Negotiate", "abc", HERE) is None
    assert sign_in.authenticate("Negotiate", "abc", HERE) is None


@pytest.mark.parametrize("scheme", ["NTLM", "Negotiate", "Kerberos", "Bearer"])
def test_esc8_no_scheme_that_can_be_relayed_is_taken(sign_in: BasicSignIn, scheme: str) -> None:
    assert sign_in.challenge.startswith("Basic ")
    secret = base64.b64encode(b"subscriber:correct horse").decode()
    assert sign_in.recall(scheme, secret, HERE) is None
    assert sign_in.authenticate(scheme, secret, HERE) is None


def test_a_second_call_costs_no_hash(sign_in: BasicSignIn, hasher: CountingHasher) -> None:
    for _ in range(5):
        attempt(sign_in, "subscriber")
    assert hasher.hashes == 1


def test_what_is_remembered_is_nobodys_but_the_password_s(sign_in: BasicSignIn) -> None:
    attempt(sign_in, "subscriber")
    with pytest.raises(CredentialsRejected):
        attempt(sign_in, "subscriber", "wrong")


def test_a_credential_is_hashed_again_when_it_was_not_used_for_some_minutes(
    sign_in: BasicSignIn, hasher: CountingHasher, clock: SteppingClock
) -> None:
    for _ in range(3):
        attempt(sign_in, "subscriber")
        clock.step(timedelta(minutes=4))
    assert hasher.hashes == 1
    clock.step(timedelta(minutes=1))
    attempt(sign_in, "subscriber")
    assert hasher.hashes == 2


def test_a_changed_password_counts_at_once(sign_in: BasicSignIn, store: SqlStore, hasher: CountingHasher) -> None:
    attempt(sign_in, "subscriber")
    with store.writing() as session:
        session.directory.save_password_hash(SUBSCRIBER.user.id, hasher.hash("new"))
    with pytest.raises(CredentialsRejected):
        attempt(sign_in, "subscriber")
    assert attempt(sign_in, "subscriber", "new") is not None


def test_a_disabled_account_is_out_at_once(sign_in: BasicSignIn, store: SqlStore) -> None:
    attempt(sign_in, "subscriber")
    save(store, replace(SUBSCRIBER.user, enabled=False))
    with pytest.raises(CredentialsRejected):
        attempt(sign_in, "subscriber")


def test_a_change_of_somebody_else_costs_nobody_a_hash(sign_in: BasicSignIn, store: SqlStore, hasher: CountingHasher) -> None:
    attempt(sign_in, "subscriber")
    save(store, replace(SUBSCRIBER2.user, enabled=False))
    attempt(sign_in, "subscriber")
    assert hasher.hashes == 1


def test_a_changed_name_is_seen_at_once(sign_in: BasicSignIn, store: SqlStore) -> None:
    attempt(sign_in, "subscriber")
    save(store, replace(SUBSCRIBER.user, display_name="Somebody New"))
    caller = attempt(sign_in, "subscriber")
    assert caller is not None
    assert caller.user.display_name == "Somebody New"


def test_failures_slow_an_account_down_without_a_hash(
    sign_in: BasicSignIn, hasher: CountingHasher, clock: SteppingClock
) -> None:
    fail(sign_in, 4)
    hashes = hasher.hashes
    with pytest.raises(SignInThrottled) as throttled:
        attempt(sign_in, "subscriber")
    assert hasher.hashes == hashes
    clock.step(timedelta(seconds=throttled.value.retry_after_seconds))
    assert attempt(sign_in, "subscriber") is not None


def test_all_names_of_an_account_are_throttled_together(sign_in: BasicSignIn) -> None:
    fail(sign_in, 2, "subscriber")
    fail(sign_in, 2, "CORP\\subscriber")
    with pytest.raises(SignInThrottled):
        attempt(sign_in, "subscriber@corp.contoso.com")


def test_who_is_remembered_does_not_wait(sign_in: BasicSignIn) -> None:
    attempt(sign_in, "subscriber")
    fail(sign_in, 4)
    assert attempt(sign_in, "subscriber") is not None


def test_a_failure_is_an_event_without_the_password(sign_in: BasicSignIn, store: SqlStore) -> None:
    fail(sign_in, 1, "CORP\\subscriber")
    (event,) = list_events(store)
    assert (event.type, event.actor, event.source) == (EventType.SIGN_IN_FAILED, "CORP\\subscriber", HERE)
    assert (event.subject_id, event.actor_id) == (SUBSCRIBER.user.id, None)
    assert "wrong" not in repr(event)


def test_a_throttled_attempt_is_an_event(sign_in: BasicSignIn, store: SqlStore) -> None:
    fail(sign_in, 4)
    with pytest.raises(SignInThrottled):
        attempt(sign_in, "subscriber")
    assert [each.type for each in list_events(store)][-1] is EventType.SIGN_IN_THROTTLED


def test_an_attacker_cannot_fill_the_history(sign_in: BasicSignIn, store: SqlStore, clock: SteppingClock) -> None:
    for number in range(100):
        fail(sign_in, 1, f"nobody{number}")
    assert len(list_events(store)) == 60
    clock.step(timedelta(minutes=1))
    fail(sign_in, 1, "nobody")
    assert list_events(store)[-1].details == {"left_out": "40"}


def test_a_wrong_current_password_counts_as_a_failed_sign_in(
    sign_in: BasicSignIn, clock: SteppingClock, store: SqlStore
) -> None:
    caller = Caller(SUBSCRIBER.user, SUBSCRIBER.sids, HERE)
    for _ in range(4):
        with pytest.raises(CurrentPasswordWrong):
            sign_in.exchange(caller, "a guess", "seven magazines of another kind")
    # Neither way is open before the delay is over, not even for the right one: a guesser learns nothing.
    with pytest.raises(SignInThrottled):
        sign_in.exchange(caller, SECRET, "seven magazines of another kind")
    with pytest.raises(SignInThrottled):
        attempt(sign_in, "subscriber")
    clock.step(timedelta(minutes=1))
    exchanged = sign_in.exchange(caller, SECRET, "seven magazines of another kind")
    with store.reading() as session:
        assert session.directory.find_password_hash(SUBSCRIBER.user.id) == exchanged.current
        told = [each for each in session.history.list_unsealed(100) if isinstance(each, Event)]
    assert [each.type for each in told] == [*[EventType.SIGN_IN_FAILED] * 4, *[EventType.SIGN_IN_THROTTLED] * 2]
    assert {each.subject_id for each in told} == {SUBSCRIBER.user.id}


def test_an_account_without_a_password_has_none_to_change(sign_in: BasicSignIn) -> None:
    with pytest.raises(CurrentPasswordWrong):
        sign_in.exchange(Caller(OUTSIDER.user, OUTSIDER.sids, HERE), "", "seven magazines of another kind")


def test_one_password_is_exchanged_at_a_time(store: SqlStore, clock: SteppingClock) -> None:
    caller = Caller(SUBSCRIBER.user, SUBSCRIBER.sids, HERE)

    class Nested(CountingHasher):
        """While it works, the same user asks once more."""

        def is_match(self, password: str, password_hash: str) -> bool:
            with pytest.raises(SignInThrottled):
                sign_in.exchange(caller, SECRET, "another at the same moment")
            return super().is_match(password, password_hash)

    sign_in = BasicSignIn(store, Nested(), clock, SystemEntropy())
    for _ in range(2):
        assert sign_in.exchange(caller, SECRET, "seven magazines of another kind").new


# -- what a guesser learns of names -----------------------------------------------------------------------------------------

SPELLINGS = ["{}", "CORP\\{}", "corp\\{}", "{}@corp.contoso.com", "OTHER\\{}", "{}@elsewhere.example"]
KINDS = {"with a password": "subscriber", "without one": "outsider", "disabled": "subscriber2", "not there": "nobody"}


def observe(sign_in: BasicSignIn, hasher: CountingHasher, name: str, password: str = "wrong") -> tuple[str, int]:
    """Return what a client sees of an attempt, and how many hashes that takes the server: that is the time it takes."""
    before = hasher.hashes
    try:
        attempt(sign_in, name, password)
    except (CredentialsRejected, SignInThrottled) as refused:
        return str(refused), hasher.hashes - before
    raise AssertionError("a wrong password was taken")


@pytest.mark.parametrize("first", SPELLINGS)
def test_names_that_exist_are_answered_as_those_that_do_not_however_they_are_spelled(
    store: SqlStore, hasher: CountingHasher, clock: SteppingClock, first: str
) -> None:
    save(store, replace(SUBSCRIBER2.user, enabled=False))
    seen = {}
    for kind, name in KINDS.items():
        sign_in = BasicSignIn(store, hasher, clock, SystemEntropy())
        tried = [first] * 5 + SPELLINGS
        seen[kind] = [observe(sign_in, hasher, each.format(name)) for each in tried]
    assert seen["with a password"] == seen["without one"] == seen["disabled"] == seen["not there"]
    assert seen["not there"][0][1] == 1
    assert [hashes for _, hashes in seen["not there"][4:]] == [0] * 7


def test_a_spray_over_many_names_looks_the_same_for_those_that_exist(
    store: SqlStore, hasher: CountingHasher, clock: SteppingClock
) -> None:
    save(store, replace(SUBSCRIBER2.user, enabled=False))
    sign_in = BasicSignIn(store, hasher, clock, SystemEntropy())
    for _ in range(6):
        assert len({observe(sign_in, hasher, each) for each in KINDS.values()}) == 1


def test_the_right_password_of_a_disabled_account_is_answered_as_a_wrong_one(
    sign_in: BasicSignIn, store: SqlStore, hasher: CountingHasher
) -> None:
    save(store, replace(SUBSCRIBER2.user, enabled=False))
    assert observe(sign_in, hasher, "subscriber2", SECRET) == observe(sign_in, hasher, "nobody", SECRET)
