"""Archived keys by way of offline agents, and archives that are encrypted to new agents."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from certwright.adapters.keys.software import SoftwareKeySafe
from certwright.application.approve_request import approve_request
from certwright.application.close_request import cancel_request
from certwright.application.complete_request import complete_request
from certwright.application.create_request import RequestWish, create_request
from certwright.application.key_history import name_recovered_key
from certwright.application.manage_agents import NewAgent, add_agent, list_agents, retire_agent
from certwright.application.rearchive_keys import Progress, rearchive_keys
from certwright.application.recover_offline import export_archived_keys, import_recovered_keys
from certwright.domain.archive import RecoveryAgent, digest_agents, list_current
from certwright.domain.certificates import format_serial_number
from certwright.domain.errors import (
    DefinitionInvalid,
    KeyUnavailable,
    MalformedValue,
    NothingArchived,
    RecoveryAgentOffline,
    TransitionRefused,
)
from certwright.domain.grants import Grant, ObjectKind, Right
from certwright.domain.identities import Caller
from certwright.domain.keys import SealedKey
from certwright.domain.policies import Policy
from certwright.domain.profile_templates import KeyOrigin, KeySpecification, X509KeyUsage
from certwright.domain.profiles import ProfileId
from certwright.domain.public_keys import KeyAlgorithm
from certwright.domain.request_types import RequestType
from certwright.domain.requests import RequestId
from certwright.domain.workflows import Operation
from worlds.authorities import KEK
from worlds.certificate_requests import certify_modulus
from worlds.contoso import (
    AGENT,
    AGENTS,
    APPROVER,
    APPROVERS,
    CERTIFICATE_TEMPLATE,
    MANAGER,
    MANAGERS,
    MODULI,
    SUBSCRIBER,
    SUBSCRIBERS,
)
from worlds.house import ONE, PFX_PASSWORD, House, make_agent, signed_in
from worlds.pfx_judges import open_with_openssl

KEY = KeySpecification(algorithm=KeyAlgorithm.ECDSA_P256, bits=256, origin=KeyOrigin.SERVER, archived=True)
ENCRYPTING = replace(CERTIFICATE_TEMPLATE, key=KEY, key_usages=frozenset({X509KeyUsage.KEY_AGREEMENT}))
POLICIES = {
    RequestType.ENROLL: Policy(self_service=True),
    RequestType.RECOVER: Policy(self_service=True, reissue_archived_certificates=True),
    RequestType.RECOVER_ON_BEHALF: Policy(
        initiators=frozenset({MANAGERS}),
        approvals_needed=1,
        approvers=frozenset({APPROVERS}),
        enrollment_agents=frozenset({AGENTS}),
        enrollment_agent_required=True,
    ),
}
TEMPLATE = replace(ONE, certificate_templates=(ENCRYPTING,), policies=POLICIES)
OPERATOR = "root"


@pytest.fixture(autouse=True)
def template(house: House) -> None:
    with house.store.writing() as session:
        kept = list(session.directory.load_grants())
        recovering = Grant(ObjectKind.PRINCIPAL, SUBSCRIBERS, Right.REQUEST_RECOVER, MANAGERS)
        session.directory.replace_grants([*kept, recovering])
    house.save(TEMPLATE)


@pytest.fixture
def vault(house: House) -> tuple[SealedKey, RecoveryAgent]:
    """The one current agent, offline, and his key, which the installation has not."""
    key, agent = make_agent("vault", KeyAlgorithm.RSA, 2048)
    offline = add_agent(NewAgent(replace(agent, key_name=None, added=house.clock.now())), operator=OPERATOR, world=house.world)
    retire_agent("house", operator=OPERATOR, world=house.world)
    return key, offline


def enroll(house: House) -> tuple[ProfileId, bytes]:
    """Return a profile, and the public half of the key in it."""
    request_id = house.open()
    (made,) = house.post(request_id, pfx_password=PFX_PASSWORD)
    profile_id = complete_request(request_id, by=signed_in(SUBSCRIBER), world=house.world).request.profile_id
    assert profile_id is not None
    return profile_id, open_with_openssl(made.pfx or b"", PFX_PASSWORD)


def start(house: House, operation: Operation, profile_id: ProfileId, by: Caller | None = None) -> RequestId:
    wish = RequestWish(operation=operation, profile_id=profile_id)
    return create_request(wish, by=by or signed_in(SUBSCRIBER), world=house.world).id


def decrypt(enveloped: bytes, key: SealedKey, folder: Path) -> bytes:
    """Return what openssl makes of it, on the offline agent's machine."""
    (folder / "archived.p7m").write_bytes(enveloped)
    (folder / "agent.key").write_bytes(SoftwareKeySafe(KEK).open(key).pkcs8)
    command = "openssl cms -decrypt -inform DER -in archived.p7m -keyform DER -inkey agent.key -out out.key"
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    return (folder / "out.key").read_bytes()


def test_an_offline_agent_brings_a_key_back(house: House, vault: tuple[SealedKey, RecoveryAgent], tmp_path: Path) -> None:
    profile_id, public = enroll(house)
    request_id = start(house, Operation.RECOVER, profile_id)
    first = house.post(request_id, pfx_password=PFX_PASSWORD)
    assert isinstance(first[1].error, RecoveryAgentOffline)
    (exported,) = export_archived_keys(request_id, operator=OPERATOR, world=house.world)
    assert exported.agents == ("vault",)
    plain = decrypt(exported.enveloped, vault[0], tmp_path)
    (brought,) = import_recovered_keys(request_id, {"out.key": plain}, operator=OPERATOR, world=house.world)
    assert brought.serial == exported.serial
    name = name_recovered_key(request_id, exported.serial)
    with house.store.reading() as session:
        kept = session.keys.find_key(name)
    assert kept is not None
    assert plain not in kept.sealed
    (new, old) = house.post(request_id, pfx_password=PFX_PASSWORD)
    assert (new.error, old.error, old.is_key_history) == (None, None, True)
    assert open_with_openssl(old.pfx or b"", PFX_PASSWORD) == public
    (told,) = [each for each in house.list_events(request_id) if each.type.value == "key.recovered"]
    assert told.details["agent"] == "offline"
    complete_request(request_id, by=signed_in(SUBSCRIBER), world=house.world)
    with house.store.reading() as session:
        assert session.keys.find_key(name) is None


def test_who_exported_and_brought_whose_key_is_in_the_history(
    house: House, vault: tuple[SealedKey, RecoveryAgent], tmp_path: Path
) -> None:
    profile_id, _ = enroll(house)
    request_id = start(house, Operation.RECOVER, profile_id)
    (exported,) = export_archived_keys(request_id, operator="olga", world=house.world)
    plain = decrypt(exported.enveloped, vault[0], tmp_path)
    import_recovered_keys(request_id, {"out.key": plain}, operator="otto", world=house.world)
    with house.store.reading() as session:
        events = [each for each in session.history.list_unsealed(1_000) if each.type.value in ("key.exported", "key.imported")]
    assert [(each.type.value, each.actor) for each in events] == [("key.exported", "olga"), ("key.imported", "otto")]
    for each in events:
        assert each.subject_id == SUBSCRIBER.user.id
        assert (each.details["serial"], each.details["request"]) == (format_serial_number(exported.serial), str(request_id))


def test_nothing_goes_out_before_enough_people_have_approved(house: House, vault: tuple[SealedKey, RecoveryAgent]) -> None:
    profile_id, _ = enroll(house)
    request_id = start(house, Operation.RECOVER_ON_BEHALF, profile_id, signed_in(MANAGER))
    with pytest.raises(TransitionRefused):
        export_archived_keys(request_id, operator=OPERATOR, world=house.world)
    approve_request(request_id, by=signed_in(APPROVER), world=house.world)
    assert len(export_archived_keys(request_id, operator=OPERATOR, world=house.world)) == 1
    (old,) = house.post(request_id, by=AGENT, pfx_password=PFX_PASSWORD)
    assert isinstance(old.error, RecoveryAgentOffline)


def test_only_keys_that_the_request_gives_back_are_taken(
    house: House, vault: tuple[SealedKey, RecoveryAgent], tmp_path: Path
) -> None:
    profile_id, _ = enroll(house)
    request_id = start(house, Operation.RECOVER, profile_id)
    (exported,) = export_archived_keys(request_id, operator=OPERATOR, world=house.world)
    good = decrypt(exported.enveloped, vault[0], tmp_path)
    other = SoftwareKeySafe(KEK).open(make_agent("other")[0]).pkcs8
    for name, content in {"a.key": other, "b.key": b"no key", "c.key": exported.enveloped}.items():
        with pytest.raises(MalformedValue) as refused:
            import_recovered_keys(request_id, {"good.key": good, name: content}, operator=OPERATOR, world=house.world)
        assert refused.value.field == name
    assert isinstance(house.post(request_id, pfx_password=PFX_PASSWORD)[1].error, RecoveryAgentOffline)


def test_what_was_brought_is_gone_when_the_request_is_canceled(
    house: House, vault: tuple[SealedKey, RecoveryAgent], tmp_path: Path
) -> None:
    profile_id, _ = enroll(house)
    request_id = start(house, Operation.RECOVER, profile_id)
    (exported,) = export_archived_keys(request_id, operator=OPERATOR, world=house.world)
    plain = decrypt(exported.enveloped, vault[0], tmp_path)
    import_recovered_keys(request_id, {"out.key": plain}, operator=OPERATOR, world=house.world)
    house.post(request_id, pfx_password=PFX_PASSWORD)
    cancel_request(request_id, by=signed_in(SUBSCRIBER), world=house.world)
    with house.store.reading() as session:
        assert session.keys.find_key(name_recovered_key(request_id, exported.serial)) is None
    with pytest.raises(TransitionRefused):
        export_archived_keys(request_id, operator=OPERATOR, world=house.world)


def test_a_request_that_gives_nothing_back_has_nothing_to_export(house: House) -> None:
    with pytest.raises(NothingArchived):
        export_archived_keys(house.open(), operator=OPERATOR, world=house.world)


# -- new agents --------------------------------------------------------------------------------------------------------------


def add_online(house: House, name: str) -> RecoveryAgent:
    key, agent = make_agent(name)
    return add_agent(NewAgent(replace(agent, added=house.clock.now()), key), operator=OPERATOR, world=house.world)


def count_outdated(house: House) -> int:
    with house.store.reading() as session:
        return session.archive.count_outdated(digest_agents(list_current(session.archive.list_agents())))


def test_archives_follow_the_agents(house: House) -> None:
    enrolled = [enroll(house) for _ in range(3)]
    new = add_online(house, "new")
    retire_agent("house", operator=OPERATOR, world=house.world)
    assert count_outdated(house) == 3
    steps: list[Progress] = []
    assert rearchive_keys(operator=OPERATOR, world=house.world, tell=steps.append) == Progress(3, (), 3)
    assert steps == [Progress(3, (), 3)]
    assert count_outdated(house) == 0
    # The old agent is of no use any more.
    with house.store.writing() as session:
        session.keys.delete_keys(["agent/house"])
    for profile_id, public in enrolled:
        _, old = house.post(start(house, Operation.RECOVER, profile_id), pfx_password=PFX_PASSWORD)
        assert open_with_openssl(old.pfx or b"", PFX_PASSWORD) == public
    assert [each.name for each in list_agents(world=house.world) if each.retired is None] == [new.name]


def test_running_it_again_does_nothing(house: House) -> None:
    enroll(house)
    assert rearchive_keys(operator=OPERATOR, world=house.world) == Progress(0, (), 0)
    add_online(house, "new")
    assert rearchive_keys(operator=OPERATOR, world=house.world).done == 1
    assert rearchive_keys(operator=OPERATOR, world=house.world) == Progress(0, (), 0)


def test_a_run_that_was_broken_off_goes_on(house: House) -> None:
    for _ in range(3):
        enroll(house)
    add_online(house, "new")

    def crash(_: Progress) -> None:
        raise KeyUnavailable("pulled out")

    with pytest.raises(KeyUnavailable):
        rearchive_keys(operator=OPERATOR, world=house.world, tell=crash, batch=2)
    assert count_outdated(house) == 1
    assert rearchive_keys(operator=OPERATOR, world=house.world, batch=2) == Progress(1, (), 1)
    assert count_outdated(house) == 0


def test_what_cannot_be_read_is_named_and_left_as_it_is(house: House) -> None:
    enroll(house)
    damaged_profile, _ = enroll(house)
    (damaged,) = house.held(damaged_profile)
    with house.store.writing() as session:
        key = session.archive.find(damaged.serial)
        assert key is not None
        assert session.archive.replace(replace(key, enveloped=key.enveloped[:-1] + b"\0\0"), key)
    add_online(house, "new")
    progress = rearchive_keys(operator=OPERATOR, world=house.world)
    assert (progress.done, progress.total) == (1, 2)
    (failed,) = progress.failed
    assert format_serial_number(damaged.serial) in str(failed)
    assert count_outdated(house) == 1
    with house.store.reading() as session:
        kinds = [each.type.value for each in session.history.list_unsealed(1_000)]
    assert (kinds.count("keys.rearchived"), kinds.count("key.unreadable")) == (1, 1)


def test_archives_for_offline_agents_alone_wait_for_them(house: House, vault: tuple[SealedKey, RecoveryAgent]) -> None:
    enroll(house)
    add_online(house, "new")
    progress = rearchive_keys(operator=OPERATOR, world=house.world)
    assert progress.done == 0
    assert "none of its agents is online" in str(progress.failed[0])


@pytest.mark.parametrize("modulus", [2**3_217 - 1, MODULI[0] ** 3], ids=["prime", "cube"])
def test_an_agent_whose_key_everybody_can_compute_is_refused(house: House, modulus: int) -> None:
    agent = RecoveryAgent(name="weak", certificate=certify_modulus(modulus), key_name=None, added=house.clock.now())
    with pytest.raises(DefinitionInvalid, match="the power of one"):
        add_agent(NewAgent(agent), operator=OPERATOR, world=house.world)
    assert "weak" not in [each.name for each in list_agents(world=house.world)]
