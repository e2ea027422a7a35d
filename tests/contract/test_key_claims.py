"""Whose a certified key is, and that it is compromised, follows from certificates and history, and is compared with them."""

from hashlib import sha256

import pytest
from sqlalchemy import delete, insert, select, update

from certwright.adapters.sql.tables import certificates, certified_keys
from certwright.application.accept_rows import prove_rows
from certwright.domain.events import EventType, tell_of_program
from certwright.domain.revocation import RevocationReason
from worlds.contoso import NOW, SUBSCRIBER, SUBSCRIBER2
from worlds.estate import DAY, EXTERNAL, Estate

EXTERNAL_KEY = sha256(EXTERNAL.public_key).digest()


def find_key(estate: Estate) -> bytes:
    found: bytes = estate.list_rows(select(certificates.c.key_digest).where(certificates.c.place == 0))[0]["key_digest"]
    return found


def test_what_enrollments_claimed_fits(estate: Estate) -> None:
    keys = {each["key_digest"] for each in estate.list_rows(select(certified_keys.c.key_digest))}
    assert len(keys) == 3
    assert EXTERNAL_KEY in keys
    assert estate.verify().faults == ()


@pytest.mark.parametrize("is_external", [False, True])
def test_key_that_was_released_for_another_person_is_named(estate: Estate, *, is_external: bool) -> None:
    digest = EXTERNAL_KEY if is_external else find_key(estate)
    estate.run(delete(certified_keys).where(certified_keys.c.key_digest == digest))
    assert estate.verify().faults == (f"certified-key {digest.hex()} is gone: there are certificates for it",)


@pytest.mark.parametrize("is_external", [False, True])
def test_key_that_was_given_to_another_person_is_named(estate: Estate, *, is_external: bool) -> None:
    digest = EXTERNAL_KEY if is_external else find_key(estate)
    estate.run(
        update(certified_keys).where(certified_keys.c.key_digest == digest).values(subject_id=SUBSCRIBER2.user.id),
    )
    told = "is said to be another person's than that of its certificates"
    assert estate.verify().faults == (f"certified-key {digest.hex()} {told}",)


def test_key_that_was_taken_for_nobody_is_named(estate: Estate) -> None:
    estate.run(insert(certified_keys).values(key_digest=b"\1" * 32, subject_id=SUBSCRIBER.user.id, is_compromised=False))
    assert estate.verify().faults == (f"certified-key {'01' * 32} was added",)


def revoke(estate: Estate, reason: RevocationReason, *, days: int) -> None:
    serial = estate.list_rows(select(certificates.c.serial).where(certificates.c.place == 0))[0]["serial"]
    with estate.house.store.writing() as session:
        session.certificates.revoke(serial, reason, NOW + days * DAY)
        told = tell_of_program(EventType.CERTIFICATE_REVOKED, NOW, serial=f"{serial:X}", reason=reason.name)
        session.history.append([told])


def test_compromised_key_that_was_made_good_is_named(estate: Estate) -> None:
    revoke(estate, RevocationReason.KEY_COMPROMISE, days=1)
    assert estate.verify().faults == ()
    estate.run(update(certified_keys).values(is_compromised=False))
    told = "is said to be good, and a certificate for it was revoked for its compromise"
    assert estate.verify().faults == (f"certified-key {find_key(estate).hex()} {told}",)


def test_key_that_was_called_compromised_is_named(estate: Estate) -> None:
    digest = find_key(estate)
    estate.run(update(certified_keys).where(certified_keys.c.key_digest == digest).values(is_compromised=True))
    told = "is said to be compromised, and neither a certificate nor an event says so"
    assert estate.verify().faults == (f"certified-key {digest.hex()} {told}",)


def test_key_stays_compromised_where_an_earlier_revocation_took_the_place_of_that(estate: Estate) -> None:
    revoke(estate, RevocationReason.KEY_COMPROMISE, days=5)
    revoke(estate, RevocationReason.SUPERSEDED, days=1)
    with estate.house.store.reading() as session:
        holder = session.certificates.find_key_holder(find_key(estate))
    assert holder is not None
    assert holder.is_compromised
    assert estate.verify().faults == ()


def test_differences_of_keys_are_not_accepted(estate: Estate) -> None:
    estate.run(delete(certified_keys).where(certified_keys.c.key_digest == EXTERNAL_KEY))
    proof = prove_rows(world=estate.house.world)
    assert proof.faults == ()
    assert len(proof.lasting) == 1
