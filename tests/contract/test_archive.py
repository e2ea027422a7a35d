"""`key_ports.Archive`."""

from dataclasses import replace
from datetime import timedelta

import pytest

from certwright.adapters.sql.store import SqlStore
from certwright.domain.archive import ArchivedKey, RecoveryAgent, digest_agents, list_current
from certwright.domain.certificates import Certificate
from certwright.domain.errors import ChangedMeanwhile
from worlds.contoso import NOW
from worlds.holdings import make_certificate, start

ONLINE = RecoveryAgent(name="online", certificate=b"der\0", key_name="agent/online", added=NOW)
OFFLINE = RecoveryAgent(name="Vault", certificate=b"other", key_name=None, added=NOW + timedelta(days=1))
OLD, NEW = digest_agents([ONLINE]), digest_agents([ONLINE, OFFLINE])


def add_certificates(store: SqlStore, count: int) -> list[Certificate]:
    request, profile = start(store)
    certificates = [make_certificate(request, profile, place) for place in range(count)]
    with store.writing() as session:
        session.certificates.add(certificates)
    return certificates


def archived(certificate: Certificate, agents: bytes = OLD) -> ArchivedKey:
    return ArchivedKey(serial=certificate.serial, enveloped=b"for \0 agents", agents=agents, archived=NOW)


def test_agents_are_listed_as_saved_in_the_order_in_which_they_came(store: SqlStore) -> None:
    retired = replace(ONLINE, retired=NOW + timedelta(days=2))
    with store.writing() as session:
        for each in (OFFLINE, ONLINE, retired):
            session.archive.save_agent(each)
    with store.reading() as session:
        assert session.archive.list_agents() == (retired, OFFLINE)
        assert list_current(session.archive.list_agents()) == (OFFLINE,)


def test_recipients_are_told_apart_whatever_their_order() -> None:
    assert digest_agents([OFFLINE, ONLINE]) == NEW != OLD
    assert digest_agents([replace(ONLINE, name="renamed")]) == OLD


def test_an_archived_key_is_found_by_its_certificate_and_stays(store: SqlStore) -> None:
    first, second = add_certificates(store, 2)
    with store.writing() as session:
        session.archive.add([archived(first)])
        session.archive.add([])
    with pytest.raises(ChangedMeanwhile), store.writing() as session:
        session.archive.add([archived(first), archived(second)])
    with store.reading() as session:
        assert session.archive.find(first.serial) == archived(first)
        assert session.archive.find(second.serial) is None


def test_what_is_encrypted_to_others_is_listed_in_pieces_and_replaced_once(store: SqlStore) -> None:
    certificates = sorted(add_certificates(store, 5), key=lambda each: f"{each.serial:X}")
    with store.writing() as session:
        session.archive.add([archived(each) for each in certificates[:4]])
        session.archive.add([archived(certificates[4], NEW)])
    with store.reading() as session:
        assert session.archive.count_outdated(NEW) == 4
        first = session.archive.list_outdated(NEW, None, 3)
        rest = session.archive.list_outdated(NEW, first[-1].serial, 3)
    assert [each.serial for each in (*first, *rest)] == [each.serial for each in certificates[:4]]
    changed = replace(first[0], enveloped=b"anew", agents=NEW, archived=NOW + timedelta(days=1))
    with store.writing() as session:
        assert session.archive.replace(changed, first[0])
        assert not session.archive.replace(replace(changed, enveloped=b"late"), first[0])
    with store.reading() as session:
        assert session.archive.find(changed.serial) == changed
        assert session.archive.count_outdated(NEW) == 3
