"""Encryption keys that are archived: for whom, against what, and how they come back."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from certwright.adapters.keys.software import SoftwareKeySafe
from certwright.application.approve_request import approve_request
from certwright.application.close_request import cancel_request
from certwright.application.complete_request import complete_request
from certwright.application.create_request import RequestWish, create_request
from certwright.application.manage_agents import NewAgent, add_agent, list_agents, retire_agent
from certwright.application.places import Delivered
from certwright.application.server_keys import name_pending_key
from certwright.domain.archive import ArchivedKey, RecoveryAgent
from certwright.domain.certificates import Certificate, SerialNumber, format_serial_number
from certwright.domain.errors import (
    ArchiveUnreadable,
    CertificatesMissing,
    DefinitionInvalid,
    PfxPasswordMissing,
    RecoveryAgentExists,
    RecoveryAgentMissing,
    RecoveryAgentNeeded,
    RecoveryAgentNotFound,
    RecoveryAgentOffline,
)
from certwright.domain.grants import Grant, ObjectKind, Right
from certwright.domain.identities import Principal
from certwright.domain.policies import Policy
from certwright.domain.profile_templates import KeyOrigin, KeySpecification, X509KeyUsage
from certwright.domain.profiles import ProfileId
from certwright.domain.public_keys import KeyAlgorithm
from certwright.domain.request_types import RequestType
from certwright.domain.requests import RequestId
from certwright.domain.workflows import Operation
from certwright.formats.private_keys import parse_private_key
from worlds.authorities import KEK
from worlds.contoso import AGENT, AGENTS, APPROVER, APPROVERS, MANAGER, MANAGERS, NOW, SUBSCRIBER, SUBSCRIBERS
from worlds.house import PFX_PASSWORD, SECOND, SIGNING, TWO, House, csr, make_agent, signed_in
from worlds.pfx_judges import list_certificates, open_with_openssl

KEY = KeySpecification(algorithm=KeyAlgorithm.ECDSA_P256, bits=256, origin=KeyOrigin.SERVER, archived=True)
ENCRYPTING = replace(SECOND, key=KEY, key_usages=frozenset({X509KeyUsage.KEY_AGREEMENT}))
SELF = Policy(self_service=True, initiators=frozenset({MANAGERS}))
POLICIES = {
    RequestType.ENROLL: SELF,
    RequestType.RECOVER: replace(SELF, reissue_archived_certificates=True),
    RequestType.RENEW: SELF,
    RequestType.DUPLICATE: SELF,
    RequestType.RECOVER_ON_BEHALF: Policy(
        initiators=frozenset({MANAGERS}),
        approvals_needed=1,
        approvers=frozenset({APPROVERS}),
        enrollment_agents=frozenset({AGENTS}),
        enrollment_agent_required=True,
    ),
}
TEMPLATE = replace(TWO, certificate_templates=(SIGNING, ENCRYPTING), policies=POLICIES)
OPERATOR = "root"


@pytest.fixture(autouse=True)
def template(house: House) -> None:
    with house.store.writing() as session:
        kept = list(session.directory.load_grants())
        recovering = Grant(ObjectKind.PRINCIPAL, SUBSCRIBERS, Right.REQUEST_RECOVER, MANAGERS)
        session.directory.replace_grants([*kept, recovering])
    house.save(TEMPLATE)


def enroll(house: House, owner: str = "s1") -> tuple[ProfileId, Certificate, Delivered]:
    """Return the profile, the certificate whose key is archived, and what was delivered of it."""
    request_id = house.open(TEMPLATE)
    _, made = house.post(request_id, csr(owner), pfx_password=PFX_PASSWORD)
    assert made.error is None
    completed = complete_request(request_id, by=signed_in(SUBSCRIBER), world=house.world)
    assert completed.request.profile_id is not None
    (certificate,) = [each for each in house.certificates(request_id) if each.is_archived]
    return completed.request.profile_id, certificate, made


def start(house: House, operation: Operation, profile_id: ProfileId, by: Principal = SUBSCRIBER) -> RequestId:
    wish = RequestWish(operation=operation, profile_id=profile_id)
    return create_request(wish, by=signed_in(by), world=house.world).id


def recover(house: House, profile_id: ProfileId, owner: str = "s2") -> tuple[RequestId, tuple[Delivered, ...]]:
    request_id = start(house, Operation.RECOVER, profile_id)
    return request_id, house.post(request_id, csr(owner), pfx_password=PFX_PASSWORD)


def archived_key(house: House, serial: SerialNumber) -> ArchivedKey:
    with house.store.reading() as session:
        found = session.archive.find(serial)
    assert found is not None
    return found


def overwrite(house: House, key: ArchivedKey, enveloped: bytes) -> None:
    with house.store.writing() as session:
        assert session.archive.replace(replace(key, enveloped=enveloped), key)


def key_in(delivered: Delivered) -> bytes:
    assert delivered.error is None
    assert delivered.pfx is not None
    return open_with_openssl(delivered.pfx, PFX_PASSWORD)


def run(folder: Path, command: str) -> bytes:
    return subprocess.run(command.split(), cwd=folder, check=True, capture_output=True).stdout


def make_offline(house: House, name: str = "vault") -> RecoveryAgent:
    """Add an agent of whom the store has the certificate alone."""
    agent = replace(make_agent(name, KeyAlgorithm.RSA, 2048)[1], key_name=None, added=house.clock.now())
    return add_agent(NewAgent(agent), operator=OPERATOR, world=house.world)


@pytest.mark.parametrize(
    ("algorithm", "bits"), [(KeyAlgorithm.RSA, 2048), (KeyAlgorithm.ECDSA_P256, 256), (KeyAlgorithm.ECDSA_P384, 384)]
)
def test_openssl_reads_an_archived_key_with_the_agents_key_and_certificate(
    house: House, tmp_path: Path, algorithm: KeyAlgorithm, bits: int
) -> None:
    sealed, agent = make_agent(f"agent-{algorithm}", algorithm, bits)
    add_agent(NewAgent(agent, sealed), operator=OPERATOR, world=house.world)
    _, certificate, made = enroll(house)
    opened = serialization.load_der_private_key(SoftwareKeySafe(KEK).open(sealed).pkcs8, None)
    pem = opened.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    for name, content in {
        "archived.der": archived_key(house, certificate.serial).enveloped,
        "agent.key": pem,
        "agent.der": agent.certificate,
    }.items():
        (tmp_path / name).write_bytes(content)
    run(tmp_path, "openssl x509 -inform DER -in agent.der -out agent.pem")
    run(tmp_path, "openssl cms -decrypt -inform DER -in archived.der -out key.der -inkey agent.key -recip agent.pem")
    read = parse_private_key((tmp_path / "key.der").read_bytes())
    assert read.public_key.encoded == key_in(made)
    printed = run(tmp_path, "openssl cms -cmsout -print -inform DER -in archived.der")
    assert b"id-smime-ct-authEnvelopedData" in printed
    assert b"aes-256-gcm" in printed


def test_the_archive_outlives_the_request_and_the_waiting_key_does_not(house: House) -> None:
    _, certificate, _ = enroll(house)
    with house.store.reading() as session:
        assert session.keys.find_key(name_pending_key(certificate.serial)) is None
    assert archived_key(house, certificate.serial).archived >= NOW


def test_the_archive_of_a_canceled_request_stays(house: House) -> None:
    request_id = house.open(TEMPLATE)
    house.post(request_id, csr("s1"), pfx_password=PFX_PASSWORD)
    cancel_request(request_id, by=signed_in(SUBSCRIBER), world=house.world)
    (certificate,) = [each for each in house.certificates(request_id) if each.is_archived]
    assert archived_key(house, certificate.serial)


def test_a_recovery_delivers_new_keys_and_the_old_one_as_history(house: House) -> None:
    profile_id, certificate, made = enroll(house)
    request_id, (signing, new, old) = recover(house, profile_id)
    assert [each.is_key_history for each in (signing, new, old)] == [False, False, True]
    assert [each.is_server_generated for each in (signing, new, old)] == [False, True, True]
    assert key_in(old) == key_in(made) != key_in(new)
    assert list_certificates(old.pfx or b"", PFX_PASSWORD)[0] == certificate.encoded
    (told,) = [each for each in house.list_events(request_id) if each.type.value == "key.recovered"]
    assert (told.actor, told.subject_id) == (SUBSCRIBER.user.nt4_name, SUBSCRIBER.user.id)
    assert told.details["serial"] == format_serial_number(certificate.serial)
    assert (told.details["operation"], told.details["agent"]) == ("recover", "house")


@pytest.mark.parametrize("operation", [Operation.RENEW, Operation.RECOVER])
def test_key_history_goes_on_from_one_recovery_to_the_next(house: House, operation: Operation) -> None:
    first, _, made = enroll(house)
    request_id, _ = recover(house, first)
    second = complete_request(request_id, by=signed_in(SUBSCRIBER), world=house.world).request.profile_id
    assert second is not None
    delivered = house.post(start(house, operation, second), csr("s3"), pfx_password=PFX_PASSWORD)
    assert [each.is_key_history for each in delivered] == [False, False, True, True]
    assert key_in(made) in [key_in(each) for each in delivered[2:]]


def test_a_duplicate_has_the_same_key_in_use(house: House) -> None:
    profile_id, certificate, made = enroll(house)
    request_id = start(house, Operation.DUPLICATE, profile_id)
    signing, shared = house.post(request_id, csr("s2"), pfx_password=PFX_PASSWORD)
    assert (signing.is_key_history, shared.is_key_history) == (False, False)
    assert key_in(shared) == key_in(made)
    duplicate = complete_request(request_id, by=signed_in(SUBSCRIBER), world=house.world).request.profile_id
    assert duplicate is not None
    assert certificate.serial in [each.serial for each in house.held(duplicate) if not each.is_key_history]


def test_without_a_password_nothing_is_given_back(house: House) -> None:
    profile_id, _, _ = enroll(house)
    request_id = start(house, Operation.RECOVER, profile_id)
    with pytest.raises(PfxPasswordMissing):
        house.post(request_id, csr("s2"))
    assert house.certificates(request_id) == ()


def test_who_recovers_for_somebody_else_is_named_with_whose_key_it_was(house: House) -> None:
    profile_id, _, made = enroll(house)
    wish = RequestWish(operation=Operation.RECOVER_ON_BEHALF, profile_id=profile_id)
    request_id = create_request(wish, by=signed_in(MANAGER), world=house.world).id
    approve_request(request_id, by=signed_in(APPROVER), world=house.world)
    with pytest.raises(CertificatesMissing):
        complete_request(request_id, by=signed_in(AGENT), world=house.world)
    (old,) = house.post(request_id, by=AGENT, pfx_password=PFX_PASSWORD, comment="he has left, her mail is needed")
    assert (old.is_key_history, key_in(old)) == (True, key_in(made))
    (told,) = [each for each in house.list_events(request_id) if each.type.value == "key.recovered"]
    assert (told.actor, told.subject_id, told.comment) == (
        AGENT.user.nt4_name,
        SUBSCRIBER.user.id,
        "he has left, her mail is needed",
    )
    completed = complete_request(request_id, by=signed_in(AGENT), world=house.world)
    assert completed.request.profile_id is not None
    assert len(house.held(completed.request.profile_id)) == 1


def test_the_same_post_again_gives_it_back_again_and_says_so(house: House) -> None:
    profile_id, _, made = enroll(house)
    request_id, _ = recover(house, profile_id)
    again = house.post(request_id, csr("s2"), pfx_password="another password")
    assert open_with_openssl(again[2].pfx or b"", "another password") == key_in(made)
    assert house.events(request_id).count("key.recovered") == 2


@pytest.mark.parametrize("place", ["start", "middle", "end"])
def test_a_damaged_archive_is_named_and_the_others_come_back(house: House, place: str) -> None:
    first, damaged, _ = enroll(house)
    request_id, _ = recover(house, first)
    second = complete_request(request_id, by=signed_in(SUBSCRIBER), world=house.world).request.profile_id
    assert second is not None
    key = archived_key(house, damaged.serial)
    index = {"start": 2, "middle": len(key.enveloped) // 2, "end": len(key.enveloped) - 1}[place]
    changed = bytearray(key.enveloped)
    changed[index] ^= 1
    overwrite(house, key, bytes(changed))
    request_id, (signing, new, *old) = recover(house, second, "s3")
    assert (signing.error, new.error) == (None, None)
    (broken,) = [each for each in old if each.error is not None]
    assert isinstance(broken.error, ArchiveUnreadable)
    assert format_serial_number(damaged.serial) in str(broken.error)
    assert (broken.pfx, broken.is_key_history) == (None, True)
    assert len([each for each in old if each.pfx is not None]) == 1
    assert house.events(request_id).count("key.unreadable") == 1
    # What nobody can read any more does not hold up the rest for good.
    assert complete_request(request_id, by=signed_in(SUBSCRIBER), world=house.world).request.completed is not None


def test_the_archive_of_another_certificate_is_found_out(house: House) -> None:
    first, one, _ = enroll(house)
    _, other, _ = enroll(house, "s2")
    overwrite(house, archived_key(house, one.serial), archived_key(house, other.serial).enveloped)
    _, delivered = recover(house, first, "s3")
    assert "not that of the certificate" in str(delivered[2].error)


def test_a_lost_archive_is_named(house: House) -> None:
    profile_id, _, _ = enroll(house)
    with house.store.engines[-1].connect() as connection:
        connection.exec_driver_sql("DELETE FROM archived_keys")
        connection.commit()
    _, delivered = recover(house, profile_id)
    assert isinstance(delivered[2].error, ArchiveUnreadable)
    assert delivered[1].error is None


@pytest.mark.parametrize("fault", ["another key", "damaged", "lost"])
def test_a_wrong_key_of_the_agent_is_found_out(house: House, fault: str) -> None:
    profile_id, _, _ = enroll(house)
    (agent,) = list_agents(world=house.world)
    assert agent.key_name is not None
    with house.store.writing() as session:
        sealed = session.keys.find_key(agent.key_name)
        assert sealed is not None
        if fault == "another key":
            other = SoftwareKeySafe(KEK).open(make_agent("other")[0])
            session.keys.save_key(SoftwareKeySafe(KEK).seal(other, agent.key_name, NOW))
        elif fault == "damaged":
            session.keys.save_key(replace(sealed, sealed=sealed.sealed[:-1] + b"\0\0"))
        else:
            session.keys.delete_keys([agent.key_name])
    _, delivered = recover(house, profile_id)
    assert isinstance(delivered[2].error, ArchiveUnreadable)
    assert "agent house" in str(delivered[2].error)
    assert delivered[1].error is None


def test_without_an_agent_nothing_is_issued_that_should_be_archived(house: House) -> None:
    with house.store.engines[-1].connect() as connection:
        connection.exec_driver_sql("DELETE FROM recovery_agents")
        connection.commit()
    request_id = house.open(TEMPLATE)
    with pytest.raises(RecoveryAgentMissing):
        house.post(request_id, csr("s1"), pfx_password=PFX_PASSWORD)
    assert house.certificates(request_id) == ()


def test_keys_for_offline_agents_wait_for_an_operator(house: House) -> None:
    make_offline(house)
    retire_agent("house", operator=OPERATOR, world=house.world)
    profile_id, certificate, _ = enroll(house)
    request_id, delivered = recover(house, profile_id)
    assert isinstance(delivered[2].error, RecoveryAgentOffline)
    assert str(request_id) in str(delivered[2].error)
    assert format_serial_number(certificate.serial) in str(delivered[2].error)


def test_a_retired_agent_reads_what_was_archived_for_him(house: House) -> None:
    profile_id, _, made = enroll(house)
    make_offline(house)
    retire_agent("house", operator=OPERATOR, world=house.world)
    _, delivered = recover(house, profile_id)
    assert key_in(delivered[2]) == key_in(made)


def test_agents_have_names_and_certificates_of_their_own_and_the_last_one_stays(house: House) -> None:
    (agent,) = list_agents(world=house.world)
    for taken in (replace(make_agent("other")[1], name=agent.name), replace(agent, name="another name")):
        with pytest.raises(RecoveryAgentExists):
            add_agent(NewAgent(taken), operator=OPERATOR, world=house.world)
    with pytest.raises(DefinitionInvalid):
        add_agent(NewAgent(replace(agent, name="x", certificate=b"no certificate")), operator=OPERATOR, world=house.world)
    with pytest.raises(RecoveryAgentNeeded):
        retire_agent(agent.name, operator=OPERATOR, world=house.world)
    with pytest.raises(RecoveryAgentNotFound):
        retire_agent("nobody", operator=OPERATOR, world=house.world)
    assert list_agents(world=house.world) == (agent,)
