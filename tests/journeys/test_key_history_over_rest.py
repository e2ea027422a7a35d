"""Keys that the server makes and archives, as clients see them; with the worked example of domain.md 4.3."""

import base64
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from certwright.domain.grants import Grant, ObjectKind, Right
from certwright.domain.profile_templates import ProfileTemplateId
from certwright.domain.requests import RequestId
from worlds.openssl import as_base64, list_certificates, request_of
from worlds.rest_steps import ARCHIVED, close, open_request, refusal_of, submit
from worlds.served import Served, SignedIn, install, serve

PASSWORD = "6b75162c-b3b4-4fc1-a653-f12dae98f0c3"
SERVER_ONLY = "5f8b8f63-3f0c-4f5c-a5b2-96d1f6d3a111"
SECRET = b"What was written to E1 before the card was lost.\n"
PKCS7, PFX, HISTORY, SERVER = 0x10000, 0x20000, 0x1, 0x4
ACTIVE, REVOKED = 0, 1


def start(client: httpx.Client, kind: str, profile: str, **properties: Any) -> str:
    answer = client.post("/requests", json={"type": kind, "profile": profile, **properties})
    assert answer.status_code == 201, answer.text
    return str(answer.json()).rpartition("/")[2]


def deliver(client: httpx.Client, request: str, *owners: str) -> list[dict[str, Any]]:
    requests = [as_base64(request_of(each)) for each in owners]
    answer = submit(client, request, *requests, pfxpassword=PASSWORD)
    assert answer.status_code == 200, answer.text
    assert [each["Error"] for each in answer.json()] == [None] * len(answer.json())
    return list(answer.json())


def complete(client: httpx.Client, request: str) -> str:
    """Return the GUID of the profile that the request made."""
    answer = close(client, request)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["NewProfileUuid"])


def kinds_of(answers: list[dict[str, Any]]) -> list[tuple[str, int]]:
    for each in answers:
        assert (each["isPfx"], each["isPkcs7"]) == (bool(each["Flags"] & PFX), bool(each["Flags"] & PKCS7))
        assert (each["isKeyHistory"], each["isServerGenerated"]) == (
            bool(each["Flags"] & HISTORY),
            bool(each["Flags"] & SERVER),
        )
        assert (each["Pfx"] is None, each["Pkcs7"] is None) == (not each["isPfx"], not each["isPkcs7"])
        assert each["IsExternal"] is False
    return [(each["TemplateCommonName"], each["Flags"]) for each in answers]


def run(folder: Path, command: str) -> bytes:
    return subprocess.run(command.split(), cwd=folder, check=True, capture_output=True).stdout


def unpack(answer: dict[str, Any], folder: Path, name: str) -> str:
    """Write what openssl finds in the PFX to NAME.key and NAME.pem, and return the serial number of the certificate."""
    assert all(len(line) == 64 for line in answer["Pfx"].split("\r\n")[:-2])
    (folder / f"{name}.p12").write_bytes(base64.b64decode(answer["Pfx"]))
    run(folder, f"openssl pkcs12 -in {name}.p12 -passin pass:{PASSWORD} -nodes -nocerts -out {name}.key")
    run(folder, f"openssl pkcs12 -in {name}.p12 -passin pass:{PASSWORD} -clcerts -nokeys -out {name}.pem")
    return run(folder, f"openssl x509 -in {name}.pem -noout -serial").decode().strip().removeprefix("serial=")


def serial_in(answer: dict[str, Any]) -> str:
    certificate = list_certificates(base64.b64decode(answer["Pkcs7"]))
    (issued,) = [each for each in certificate if b"CA" not in each.subject.public_bytes()]
    digits = f"{issued.serial_number:X}"
    return digits if len(digits) % 2 == 0 else f"0{digits}"


def held(client: httpx.Client, profile: str) -> dict[str, tuple[bool, bool]]:
    """Return of each certificate of the profile whether it is key history, and whether it is archived."""
    answer = client.get(f"/profiles/{profile}/certificates")
    return {each["SerialNumber"]: (each["IsKeyHistory"], each["ArchivedOnCa"]) for each in answer.json()}


def held_once(client: httpx.Client, profile: str, serial: str) -> dict[str, tuple[bool, bool]]:
    return {name: found for name, found in held(client, profile).items() if name == serial}


def own(client: httpx.Client) -> dict[str, tuple[bool, bool]]:
    """Return what `held` does, for the caller's own certificates."""
    return {each["SerialNumber"]: (each["IsKeyHistory"], each["ArchivedOnCa"]) for each in client.get("/certificates").json()}


def statuses(client: httpx.Client) -> dict[str, int]:
    return {each["SerialNumber"]: each["Status"] for each in client.get("/certificates").json()}


def test_a_lost_card_with_a_duplicate_is_replaced_and_old_mail_is_read(
    subscriber: httpx.Client, served: Served, tmp_path: Path
) -> None:
    # The permanent profile: S1 by the client, E1 by the server.
    request = open_request(subscriber, ARCHIVED)
    options = subscriber.get(f"/requests/{request}/certificaterequestgenerationoptions").json()
    assert len(options) == 1
    first = deliver(subscriber, request, "key of S1")
    assert kinds_of(first) == [("SigningUser", PKCS7), ("ArchivedEncryptionUser", PFX | SERVER)]
    s1, e1 = serial_in(first[0]), unpack(first[1], tmp_path, "E1")
    permanent = complete(subscriber, request)
    assert held(subscriber, permanent) == {s1: (False, False), e1: (False, True)}

    # Somebody writes to E1.
    (tmp_path / "secret").write_bytes(SECRET)
    run(tmp_path, "openssl cms -encrypt -binary -aes256 -in secret -outform DER -out mail.der E1.pem")

    # Its duplicate: S2 by the client, the same E1, in use.
    request = start(subscriber, "Duplicate", permanent)
    second = deliver(subscriber, request, "key of S2")
    assert kinds_of(second) == [("SigningUser", PKCS7), ("ArchivedEncryptionUser", PFX | SERVER)]
    s2 = serial_in(second[0])
    assert unpack(second[1], tmp_path, "copy") == e1
    duplicate = complete(subscriber, request)
    assert held(subscriber, duplicate) == {s2: (False, False), e1: (False, True)}

    # The permanent one is lost, and replaced: S3 by the client, E2 by the server, and E1 as key history.
    request = start(subscriber, "Recover", permanent)
    third = deliver(subscriber, request, "key of S3")
    assert kinds_of(third) == [
        ("SigningUser", PKCS7),
        ("ArchivedEncryptionUser", PFX | SERVER),
        ("ArchivedEncryptionUser", PFX | SERVER | HISTORY),
    ]
    s3, e2 = serial_in(third[0]), unpack(third[1], tmp_path, "E2")
    assert unpack(third[2], tmp_path, "history") == e1
    new = complete(subscriber, request)
    assert held(subscriber, new) == {s3: (False, False), e2: (False, True), e1: (True, True)}
    now = statuses(subscriber)
    assert {name: now[serial] for name, serial in {"E1": e1, "S1": s1, "S2": s2, "S3": s3, "E2": e2}.items()} == {
        "E1": REVOKED,
        "S1": REVOKED,
        "S2": ACTIVE,
        "S3": ACTIVE,
        "E2": ACTIVE,
    }
    archived = {each["SerialNumber"]: each["ArchivedOnCa"] for each in subscriber.get("/certificates").json()}
    assert [archived[each] for each in (s1, e1, s2, s3, e2)] == [False, True, False, False, True]

    # E1 is key history in every list, also where it was in use.
    for profile in (permanent, duplicate, new):
        assert held(subscriber, profile).items() <= own(subscriber).items()
    assert own(subscriber)[e1] == (True, True)

    # The key that came back reads what was written to E1, and the new one does not.
    assert run(tmp_path, "openssl cms -decrypt -inform DER -in mail.der -inkey history.key -recip history.pem") == SECRET
    with pytest.raises(subprocess.CalledProcessError):
        run(tmp_path, "openssl cms -decrypt -inform DER -in mail.der -inkey E2.key -recip E2.pem")

    # The history says who read whose key, and why.
    with served.installation.world.store.reading() as session:
        events = session.history.list_of_request(RequestId(UUID(request)))
    (told,) = [each for each in events if each.type.value == "key.recovered"]
    assert (told.actor, told.details["serial"], told.details["operation"]) == ("CORP\\subscriber", e1, "recover")


def test_a_renewal_issues_every_certificate_anew_and_old_keys_follow_as_history(
    subscriber: httpx.Client, tmp_path: Path
) -> None:
    request = open_request(subscriber, ARCHIVED)
    first = deliver(subscriber, request, "key of S1")
    s1, e1 = serial_in(first[0]), unpack(first[1], tmp_path, "E1")
    profile = complete(subscriber, request)
    seen = {s1, e1}
    history: list[str] = []
    for turn in range(2):
        history = [e1, *history]
        renewal = start(subscriber, "Renew", profile)
        delivered = deliver(subscriber, renewal, f"key of renewal {turn}")
        assert kinds_of(delivered) == [
            ("SigningUser", PKCS7),
            ("ArchivedEncryptionUser", PFX | SERVER),
            *[("ArchivedEncryptionUser", PFX | SERVER | HISTORY)] * len(history),
        ]
        fresh, e1 = serial_in(delivered[0]), unpack(delivered[1], tmp_path, f"new{turn}")
        assert {fresh, e1} & seen == set()
        assert [unpack(each, tmp_path, f"old{turn}{place}") for place, each in enumerate(delivered[2:])] == history
        profile = complete(subscriber, renewal)
        assert held(subscriber, profile) == {
            fresh: (False, False),
            e1: (False, True),
            **dict.fromkeys(history, (True, True)),
        }
        seen |= {fresh, e1}


def test_somebody_elses_key_takes_an_approver_and_an_agent(sign_in: SignedIn, served: Served, tmp_path: Path) -> None:
    owner, manager, agent = sign_in("subscriber2"), sign_in("manager"), sign_in("helpdesk")
    request = open_request(owner, ARCHIVED)
    e1 = unpack(deliver(owner, request, "key of another S1")[1], tmp_path, "E1")
    profile = complete(owner, request)
    reason = {"Reason": "He has left, and the contract is in his mail."}
    request = start(manager, "RecoverOnBehalf", profile, datacollection=[reason])
    for who in (agent, owner, manager):
        assert refusal_of(submit(who, request, pfxpassword=PASSWORD))[0] in (403, 409)
    for who in (manager, owner):
        assert refusal_of(close(who, request, "Approved")) == (403, "access-denied")
    assert close(sign_in("approver"), request, "Approved").status_code == 200
    for who in (owner, manager, sign_in("approver")):
        assert refusal_of(submit(who, request, pfxpassword=PASSWORD)) == (403, "access-denied")
    assert agent.get(f"/requests/{request}/certificaterequestgenerationoptions").status_code == 204
    assert refusal_of(submit(agent, request)) == (400, "pfx-password-missing")
    recovered = deliver(agent, request)
    assert kinds_of(recovered) == [("ArchivedEncryptionUser", PFX | SERVER | HISTORY)]
    assert unpack(recovered[0], tmp_path, "recovered") == e1
    assert (tmp_path / "recovered.key").read_text().partition("-----BEGIN")[2] == (
        (tmp_path / "E1.key").read_text().partition("-----BEGIN")[2]
    )
    escrow = complete(agent, request)
    # It is key history for none of its owner's profiles, and so in no list; the answer said what the agent has it as.
    assert held(agent, escrow) == held_once(owner, profile, e1) == {e1: (False, True)}
    with served.installation.world.store.reading() as session:
        events = session.history.list_of_request(RequestId(UUID(request)))
    (told,) = [each for each in events if each.type.value == "key.recovered"]
    assert (told.actor, told.details["reason"]) == ("CORP\\helpdesk", f"Reason: {reason['Reason']}")


@pytest.mark.parametrize(
    ("password", "code"),
    [("", "pfx-password-missing"), ("short", "pfx-password-too-short"), ("12345678\0", "malformed-value")],
)
def test_a_password_that_protects_nothing_is_refused(subscriber: httpx.Client, password: str, code: str) -> None:
    request = open_request(subscriber, ARCHIVED)
    answer = submit(subscriber, request, as_base64(request_of("key of S1")), pfxpassword=password)
    assert refusal_of(answer) == (400, code)
    assert answer.json()["Errors"][0]["Field"] == "pfxpassword"
    assert subscriber.get(f"/requests/{request}").json()["Status"] == 3
    assert close(subscriber, request, "Canceled").status_code == 200


@pytest.mark.parametrize("password", ["x" * 10_000, "\N{GRINNING FACE}" * 8])
def test_long_passwords_and_all_characters_protect(subscriber: httpx.Client, password: str) -> None:
    request = open_request(subscriber, ARCHIVED)
    answer = submit(subscriber, request, as_base64(request_of("key of S1")), pfxpassword=password)
    assert answer.status_code == 200
    pfx = load_pkcs12(base64.b64decode(answer.json()[1]["Pfx"]), password.encode())
    assert pfx.key is not None
    assert close(subscriber, request, "Canceled").status_code == 200


def test_a_client_with_nothing_to_make_is_told_so_and_sends_nothing(tmp_path: Path) -> None:
    with install(tmp_path / "data") as installation:
        with installation.world.store.writing() as session:
            template = session.templates.get(ProfileTemplateId(UUID(ARCHIVED)))
            encryption = [each for each in template.certificate_templates if each.key.archived]
            alone = replace(
                template, id=ProfileTemplateId(UUID(SERVER_ONLY)), name="Alone", certificate_templates=tuple(encryption)
            )
            session.templates.save(alone)
            (group,) = (each.sid for each in session.directory.list_groups() if each.name == "Subscribers")
            rights = [Grant(ObjectKind.PROFILE_TEMPLATE, SERVER_ONLY, each, group) for each in (Right.READ, Right.ENROLL)]
            session.directory.replace_grants([*session.directory.load_grants(), *rights])
        with serve(installation) as served, served.client("subscriber") as client:
            request = open_request(client, SERVER_ONLY)
            assert client.get(f"/requests/{request}/certificaterequestgenerationoptions").status_code == 204
            (made,) = deliver(client, request)
            assert made["isServerGenerated"]
            pfx = load_pkcs12(base64.b64decode(made["Pfx"]), PASSWORD.encode())
            assert pfx.cert is not None
            assert len(pfx.additional_certs) == 2
            assert pfx.cert.certificate.public_bytes(Encoding.DER)
            assert complete(client, request)
