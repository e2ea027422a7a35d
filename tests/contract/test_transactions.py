"""`ports.Store`: what a transaction is."""

import threading
from collections.abc import Callable

import pytest

from certwright.adapters.sql.faults import WritingRefused
from certwright.adapters.sql.store import SqlStore, open_store
from certwright.domain.certificates import Certificate
from certwright.domain.errors import ChangedMeanwhile, DefinitionInvalid, StoreUnavailable
from certwright.domain.ports import Session
from postgresql import END_OTHERS
from statements import recorded_statements
from worlds.contoso import GRANTS, SUBSCRIBER, TEMPLATE
from worlds.holdings import list_requests_of, make_certificate, make_event, make_request, start


def count_events(store: SqlStore) -> int:
    with store.reading() as session:
        return len(session.history.list_unsealed(1_000))


def write_user(session: Session) -> None:
    session.directory.save_user(SUBSCRIBER.user)


def write_template(session: Session) -> None:
    session.templates.save(TEMPLATE)


def write_request(session: Session) -> None:
    session.requests.add(make_request())


def write_event(session: Session) -> None:
    session.history.append([make_event()])


@pytest.mark.parametrize("write", [write_user, write_template, write_request, write_event])
def test_writing_through_a_session_for_reading_is_refused(store: SqlStore, write) -> None:
    with pytest.raises(WritingRefused), store.reading() as session:
        write(session)
    with store.reading() as session:
        assert session.directory.list_users() == session.templates.list_newest() == list_requests_of(session) == ()
        assert session.history.list_unsealed(10) == ()


def test_what_is_written_is_there_for_whoever_opens_the_store_next(url: str) -> None:
    first = open_store(url)
    start(first)
    first.close()
    second = open_store(url)
    with second.reading() as session:
        assert len(list_requests_of(session)) == 1
    second.close()


def test_a_block_that_raises_leaves_nothing(store: SqlStore) -> None:
    def fail() -> None:
        with store.writing() as session:
            session.templates.save(TEMPLATE)
            session.requests.add(make_request())
            session.directory.save_user(SUBSCRIBER.user)
            session.directory.replace_grants(GRANTS)
            session.history.append([make_event()])
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with store.reading() as session:
        assert session.directory.list_users() == session.templates.list_newest() == list_requests_of(session) == ()
    assert count_events(store) == 0


def test_blocks_that_are_written_together_are_refused_each_for_itself(store: SqlStore) -> None:
    request, profile = start(store)
    taken, free = make_certificate(request, profile), make_certificate(request, profile, place=1)

    def add(certificate: Certificate) -> Callable[[Session], Certificate]:
        def block(session: Session) -> Certificate:
            session.history.append([make_event()])
            session.certificates.add([certificate])
            return certificate

        return block

    outcomes = store.writing_each([add(taken), add(taken), add(free)])
    assert (outcomes[0], outcomes[2]) == (taken, free)
    assert isinstance(outcomes[1], ChangedMeanwhile)
    with store.reading() as session:
        assert session.certificates.list_of_request(request.id) == (taken, free)
    assert count_events(store) == 2


def test_a_bug_in_one_of_the_blocks_that_are_written_together_leaves_nothing_of_any(store: SqlStore) -> None:
    def fail(_: Session) -> None:
        raise KeyError

    with pytest.raises(KeyError):
        store.writing_each([write_event, fail])
    assert count_events(store) == 0


def test_nothing_is_written_together_at_no_price(store: SqlStore) -> None:
    assert store.writing_each([]) == []


def test_a_store_that_refused_something_takes_the_next_thing(store: SqlStore) -> None:
    request, profile = start(store)
    certificate = make_certificate(request, profile)

    def fail() -> None:
        with store.writing() as session:
            session.certificates.add([certificate])
            session.certificates.add([certificate])

    for _ in range(3):
        with pytest.raises(ChangedMeanwhile):
            fail()
    with store.writing() as session:
        session.certificates.add([certificate])


def test_a_reader_sees_one_moment_whatever_others_commit(store: SqlStore) -> None:
    request, profile = start(store)
    with store.reading() as session:
        assert session.requests.get(request.id) == request
        with store.writing() as writing:
            writing.certificates.add([make_certificate(request, profile)])
            writing.requests.add(make_request())
            assert len(list_requests_of(writing)) == 2
        assert session.certificates.list_of_request(request.id) == ()
        assert len(list_requests_of(session)) == 1
    with store.reading() as session:
        assert len(list_requests_of(session)) == 2


def test_readers_neither_wait_for_a_writer_nor_see_his_work(store: SqlStore) -> None:
    start(store)
    wrote, go_on = threading.Event(), threading.Event()

    def write() -> None:
        with store.writing() as session:
            session.requests.add(make_request())
            wrote.set()
            go_on.wait(120)

    writer = threading.Thread(target=write)
    writer.start()
    assert wrote.wait(120)
    with store.reading() as session:
        assert len(list_requests_of(session)) == 1
    go_on.set()
    writer.join()


def test_a_session_that_is_used_for_nothing_says_nothing(store: SqlStore) -> None:
    with recorded_statements(store) as statements:
        with store.reading():
            pass
        with store.writing():
            pass
    assert statements == []


def test_what_is_remembered_costs_one_question_a_session(store: SqlStore) -> None:
    with store.writing() as session:
        write_user(session)
        session.directory.replace_grants(GRANTS)

    def look() -> None:
        with store.reading() as session:
            session.directory.load_grants()
            assert session.directory.find_principal(SUBSCRIBER.user.id) is not None
            assert session.directory.find_account("CORP", "subscriber") is not None
            assert session.directory.find_principal_name(SUBSCRIBER.user.principal_name) is not None

    look()
    with recorded_statements(store) as statements:
        look()
    assert len(statements) == 1
    assert "directory_revision" in statements[0]


def test_the_statements_of_an_enrollment_are_few(store: SqlStore) -> None:
    request, profile = start(store)
    certificates = [make_certificate(request, profile, place) for place in range(3)]
    with recorded_statements(store) as statements, store.writing() as session:
        session.certificates.add(certificates)
        session.history.append([make_event() for _ in range(3)])
        session.history.append([make_event()])
    locks = [each for each in statements if "advisory" in each]
    assert len(statements) - len(locks) == 4
    assert len(locks) <= 1


def test_what_a_database_says_about_itself_is_not_in_the_refusal(store: SqlStore) -> None:
    secret = "argon2-of-somebody"
    with pytest.raises(Exception, match="constraint") as caught, store.writing() as session:
        session.directory.save_password_hash(SUBSCRIBER.user.id, secret)
    assert secret not in str(caught.value).split("DETAIL")[0]


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://host/name", "sqlite://", "sqlite:///:memory:"])
def test_a_url_that_is_none_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(DefinitionInvalid) as caught:
        open_store(url)
    assert "mysql://" not in str(caught.value)


def test_a_database_that_is_not_there_is_unavailable(tmp_path) -> None:
    with pytest.raises(StoreUnavailable, match="no file"):
        open_store(f"sqlite:///{tmp_path / 'nowhere.db'}")
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        open_store("postgresql://somebody:secret@127.0.0.1:1/name")


def test_a_server_that_goes_away_is_unavailable_and_used_again_when_it_is_back(postgresql_url: str) -> None:
    store = open_store(postgresql_url)
    start(store)
    with store.engines[1].connect() as own:
        own.exec_driver_sql(END_OTHERS)
    with pytest.raises(StoreUnavailable), store.reading() as session:
        list_requests_of(session)
    with store.reading() as session:
        assert len(list_requests_of(session)) == 1
    store.close()
