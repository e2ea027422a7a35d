"""`key_ports.ExternalCertificates`."""

from dataclasses import replace
from datetime import timedelta

import pytest

from certwright.adapters.sql.store import SqlStore
from certwright.domain.certificates import KeyHolder, SerialNumber
from certwright.domain.errors import ChangedMeanwhile
from certwright.domain.external_certificates import ExternalCertificate
from certwright.domain.profile_templates import ProfileTemplateId
from worlds.contoso import NOW, TEMPLATE
from worlds.holdings import ALICE, BOB, make_certificate, start

FIRST = ExternalCertificate(
    thumbprint="00FF",
    serial=SerialNumber(2**159 - 1),
    subject_id=ALICE,
    template_id=TEMPLATE.id,
    requester_name="CORP\\alice",
    authority_name="CN=Elsewhere",
    subject_name="CN=Älice,O=Elsewhere",
    not_before=NOW,
    not_after=NOW + timedelta(days=365),
    public_key=b"public\0",
    encoded=bytes(range(256)),
    imported_at=NOW,
    sealed_key=b"sealed\0",
)
SECOND = replace(FIRST, thumbprint="0001", public_key=b"another", sealed_key=None)
OF_ANOTHER_TEMPLATE = replace(FIRST, thumbprint="0002", template_id=ProfileTemplateId(BOB), public_key=b"third")
OF_BOB = replace(FIRST, thumbprint="0003", subject_id=BOB, public_key=b"fourth")


def add(store: SqlStore, *certificates: ExternalCertificate) -> None:
    with store.writing() as session:
        session.external.add(certificates)


def test_they_are_listed_as_added_in_the_order_in_which_they_came(store: SqlStore) -> None:
    add(store, FIRST, SECOND)
    add(store, OF_ANOTHER_TEMPLATE, OF_BOB)
    add(store)
    with store.reading() as session:
        assert session.external.list_of(ALICE) == (FIRST, SECOND, OF_ANOTHER_TEMPLATE)
        assert session.external.list_of(ALICE, TEMPLATE.id) == (FIRST, SECOND)
        assert session.external.list_of(BOB, OF_ANOTHER_TEMPLATE.template_id) == ()
        assert session.external.find("0003") == OF_BOB
        assert session.external.find("0004") is None


def test_one_is_attached_once_and_with_it_all_that_come_along(store: SqlStore) -> None:
    add(store, FIRST)
    with pytest.raises(ChangedMeanwhile):
        add(store, SECOND, replace(OF_BOB, thumbprint=FIRST.thumbprint))
    with store.reading() as session:
        assert session.external.list_of(ALICE) == (FIRST,)
        assert session.external.list_of(BOB) == ()


def test_a_key_has_one_holder_here_and_elsewhere(store: SqlStore) -> None:
    add(store, FIRST)
    add(store, replace(SECOND, public_key=FIRST.public_key))
    with pytest.raises(ChangedMeanwhile, match="holder of the key"):
        add(store, replace(OF_BOB, public_key=FIRST.public_key))
    request, profile = start(store, BOB)
    with pytest.raises(ChangedMeanwhile, match="holder of the key"), store.writing() as session:
        session.certificates.add([make_certificate(request, profile, key_digest=FIRST.key_digest)])
    with store.reading() as session:
        assert session.certificates.find_key_holder(FIRST.key_digest) == KeyHolder(ALICE)
