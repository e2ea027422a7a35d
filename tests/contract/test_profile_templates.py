"""`ports.ProfileTemplates`."""

import threading
from dataclasses import fields, replace
from datetime import timedelta
from uuid import UUID

import pytest

from certwright.adapters.sql.store import SqlStore, open_store
from certwright.domain.data_items import DataItemDefinition, DataItemOriginator
from certwright.domain.errors import ChangedMeanwhile, ProfileTemplateNotFound
from certwright.domain.policies import Policy
from certwright.domain.profile_templates import (
    AlternativeName,
    CertificateTemplate,
    KeyOrigin,
    KeySpecification,
    ProfileTemplate,
    ProfileTemplateId,
    ResponseForm,
    SubjectSource,
    X509KeyUsage,
)
from certwright.domain.public_keys import HashAlgorithm, KeyAlgorithm
from certwright.domain.request_types import RequestType
from certwright.domain.revocation import RevocationReason, RevocationSettings
from certwright.domain.smartcard_configuration import PinPolicy, SmartcardConfiguration, UserPinOption
from statements import recorded_statements
from worlds.contoso import TEMPLATE, sid

FULL = ProfileTemplate(
    id=ProfileTemplateId(UUID(int=7)),
    name="Everything",
    description="Ünï ‹ode›",
    certificate_templates=(
        CertificateTemplate(
            common_name="One",
            oid="1.2.3",
            display_name="The one",
            major_version=101,
            minor_version=5,
            key=KeySpecification(
                algorithm=KeyAlgorithm.ECDSA_P384,
                bits=384,
                hash=HashAlgorithm.SHA384,
                providers=("A", "B"),
                origin=KeyOrigin.SERVER,
                exportable=True,
                protection_level=2,
                archived=True,
                friendly_name="Friend",
            ),
            validity=timedelta(days=3, seconds=7),
            subject=SubjectSource.COMMON_NAME,
            alternative_names=(AlternativeName.EMAIL, AlternativeName.PRINCIPAL_NAME),
            key_usages=frozenset(X509KeyUsage),
            extended_key_usages=("1.2.3.4",),
            certificate_policies=("1.2.3.5", "1.2.3.6"),
            include_security_identifier=False,
            use_local_machine_store=True,
        ),
        CertificateTemplate(common_name="Two", oid="1.2.4"),
    ),
    policies={
        RequestType.ENROLL: Policy(
            self_service=True,
            approvals_needed=2,
            initiators=frozenset({sid(1), sid(2)}),
            approvers=frozenset({sid(3)}),
            enrollment_agents=frozenset({sid(4)}),
            enrollment_agent_required=True,
            collect_comments=False,
            collect_priority=False,
            default_priority=9,
            data_items=(DataItemDefinition(name="Why", description="?", required=True, originator=DataItemOriginator.MANAGER),),
            maximum_active_profiles=3,
            reissue_archived_certificates=True,
            revocation=RevocationSettings(reason=RevocationReason.KEY_COMPROMISE, delay=timedelta(hours=1)),
        ),
        RequestType.OFFLINE_UNBLOCK: Policy(enabled=False),
    },
    smartcard=SmartcardConfiguration(
        is_virtual=True, user_pin_option=UserPinOption.RANDOMIZED, user_pin=PinPolicy(min_length=4)
    ),
    response_form=ResponseForm.CERTIFICATES_ONLY,
    response_hash=HashAlgorithm.SHA512,
)


def save(store: SqlStore, template: ProfileTemplate) -> ProfileTemplate:
    with store.writing() as session:
        return session.templates.save(template)


def test_a_template_comes_back_as_saved_in_every_field(store: SqlStore, url: str) -> None:
    assert save(store, FULL) == FULL
    other = open_store(url)
    try:
        with other.reading() as session:
            found = session.templates.get(FULL.id)
        assert found == FULL
        assert all(type(getattr(found, each.name)) is type(getattr(FULL, each.name)) for each in fields(FULL))
        assert list(found.policies) == list(FULL.policies)
        assert all(isinstance(each, RequestType) for each in found.policies)
    finally:
        other.close()


def test_saving_what_is_there_makes_no_new_version(store: SqlStore) -> None:
    assert save(store, TEMPLATE).version == 1
    assert save(store, replace(TEMPLATE, version=77)).version == 1
    with store.reading() as session:
        assert session.templates.get(TEMPLATE.id) == TEMPLATE


def test_a_change_makes_the_next_version_and_the_old_ones_stay(store: SqlStore) -> None:
    save(store, TEMPLATE)
    second = save(store, replace(TEMPLATE, name="Second"))
    third = save(store, TEMPLATE)
    assert (second.version, third.version) == (2, 3)
    with store.reading() as session:
        assert session.templates.get(TEMPLATE.id, 1) == TEMPLATE
        assert session.templates.get(TEMPLATE.id, 2) == second
        assert session.templates.get(TEMPLATE.id) == third == replace(TEMPLATE, version=3)


def test_the_newest_versions_are_listed_by_name(store: SqlStore) -> None:
    for number, name in enumerate(["b", "A", "C"]):
        save(store, replace(TEMPLATE, id=ProfileTemplateId(UUID(int=number)), name=name))
    save(store, replace(TEMPLATE, id=ProfileTemplateId(UUID(int=0)), name="d"))
    with store.reading() as session:
        assert [(each.name, each.version) for each in session.templates.list_newest()] == [("A", 1), ("C", 1), ("d", 2)]


def test_every_version_of_every_template_is_listed(store: SqlStore) -> None:
    other = replace(TEMPLATE, id=ProfileTemplateId(UUID(int=1)))
    for each in (other, TEMPLATE, replace(other, name="Renamed")):
        save(store, each)
    with store.reading() as session:
        listed = session.templates.list_versions()
        assert {(each.id, each.version) for each in listed} == {(other.id, 1), (other.id, 2), (TEMPLATE.id, 1)}
        assert all(each == session.templates.get(each.id, each.version) for each in listed)


def test_versions_are_listed_with_one_statement_once_they_are_known(store: SqlStore) -> None:
    save(store, TEMPLATE)
    save(store, replace(TEMPLATE, name="Second"))
    with store.reading() as session:
        session.templates.list_versions()
    with recorded_statements(store) as statements, store.reading() as session:
        session.templates.list_versions()
    assert len(statements) == 1


def test_an_unknown_template_or_version_is_not_found(store: SqlStore) -> None:
    save(store, TEMPLATE)
    with store.reading() as session:
        with pytest.raises(ProfileTemplateNotFound):
            session.templates.get(ProfileTemplateId(UUID(int=404)))
        with pytest.raises(ProfileTemplateNotFound):
            session.templates.get(TEMPLATE.id, 2)


def test_a_version_that_was_taken_back_is_not_remembered(store: SqlStore) -> None:
    save(store, TEMPLATE)

    def fail() -> None:
        with store.writing() as session:
            session.templates.save(replace(TEMPLATE, name="Never"))
            assert session.templates.get(TEMPLATE.id, 2).name == "Never"
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert save(store, replace(TEMPLATE, name="Second")).version == 2
    with store.reading() as session:
        assert session.templates.get(TEMPLATE.id, 2).name == "Second"


def test_a_version_is_read_once_and_remembered(store: SqlStore) -> None:
    save(store, TEMPLATE)
    with store.reading() as session:
        session.templates.get(TEMPLATE.id, 1)
    with recorded_statements(store) as statements, store.reading() as session:
        session.templates.get(TEMPLATE.id, 1)
    assert statements == []


def test_of_two_that_change_a_template_at_once_none_is_lost_unseen(store: SqlStore) -> None:
    save(store, TEMPLATE)
    ready, results = threading.Barrier(4), []

    def change(name: str) -> None:
        ready.wait()
        try:
            results.append(save(store, replace(TEMPLATE, name=name)).name)
        except ChangedMeanwhile:
            results.append("refused")

    threads = [threading.Thread(target=change, args=(f"Name {number}",)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    with store.reading() as session:
        newest = session.templates.get(TEMPLATE.id).version
        names = {session.templates.get(TEMPLATE.id, version).name for version in range(2, newest + 1)}
    assert len(results) == 4
    assert names == set(results) - {"refused"}
