"""The client against servers that answer well, badly, or not at all."""

import socket
import stat
from base64 import encodebytes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate, load_pem_x509_certificates

from certwright.client.enrollment import Enrollment, Wish, enroll, execute
from certwright.client.errors import (
    AddressUnsafe,
    AnswerUnfit,
    ClientError,
    FileExists,
    RequestPending,
    ServerRefused,
    ServerUnreachable,
)
from certwright.client.rest import Exchange, RestClient, Server, get_host
from certwright.domain.issuing import Cleared
from certwright.domain.profile_templates import ResponseForm
from certwright.domain.public_keys import HashAlgorithm, KeyAlgorithm
from certwright.formats.cms import encode_certificates_only
from certwright.formats.pkcs10 import parse_certificate_request_text
from worlds.authorities import make_hierarchy, make_subject_key, request_for
from worlds.contoso import draft_of
from worlds.lying_server import LyingServer, Reply, run_lying_server

HIERARCHY = make_hierarchy()
REQUEST = "a9b4b42c-cc50-4c9b-89d1-bbc0bcd5a099"
TEMPLATE = {"Name": "Software Certificate", "Description": "", "Uuid": "12bd5120-86a2-4ee1-8d05-131066871578"}
OPTIONS = {"KeyAlgorithmName": "ECDSA_P256", "KeySize": 256, "HashAlgorithmName": "SHA256", "KeyUsages": 2}
CREATE, SUBMIT, CLOSE = ("POST", "/requests"), ("POST", "/certificatedata"), ("PUT", f"/requests/{REQUEST}")
OPTIONS_CALL, LIST = ("GET", "/certificaterequestgenerationoptions"), ("GET", "/profiletemplates")


def issue(text: str) -> bytes:
    """Return a certificate for the certificate request."""
    return sign(draft_of(request=parse_certificate_request_text(text), issuer=HIERARCHY.issuer))


def sign(draft: Any) -> bytes:
    return HIERARCHY.authority.sign(HIERARCHY.authority.prepare(Cleared(draft)))


def answer_with(pkcs7: bytes | None, error: dict[str, str] | None = None) -> dict[str, object]:
    text = None if pkcs7 is None else encodebytes(pkcs7).decode().replace("\n", "\r\n")
    return {"TemplateCommonName": "SoftwareUser", "Pkcs7": text, "Error": error}


def answer_well(body: Any) -> Reply:
    certificates = [issue(each) for each in body["certificaterequests"]]
    respond = HIERARCHY.authority.respond
    return 200, [answer_with(respond(each, ResponseForm.CMC, HashAlgorithm.SHA256)) for each in certificates]


@contextmanager
def server_with(changes: dict[tuple[str, str], Callable[[Any], Reply]] | None = None) -> Iterator[LyingServer]:
    """Run a server that answers well, except as *changes* say."""
    honest: dict[tuple[str, str], Callable[[Any], Reply]] = {
        LIST: lambda _: (200, [TEMPLATE]),
        CREATE: lambda _: (201, f"api/v1.0/requests/{REQUEST}"),
        OPTIONS_CALL: lambda _: (200, [OPTIONS]),
        SUBMIT: answer_well,
        CLOSE: lambda _: (200, {}),
    }
    with run_lying_server({**honest, **(changes or {})}) as server:
        yield server


def enroll_from(url: str, out: Path, watch: Callable[[Exchange], None] = lambda _: None) -> Enrollment:
    with RestClient(Server(url=url, user="subscriber", password="secret"), watch) as client:
        return enroll(client, Wish(template="software certificate", out=out, comment="please", data={"Reason": "work"}))


def list_statuses(server: LyingServer) -> list[str]:
    """Return what the client set the request to."""
    return [body["status"] for method, _, body in server.calls if method == "PUT"]


def test_an_enrollment_brings_key_certificate_and_chain_in_files(tmp_path: Path) -> None:
    with server_with() as server:
        (enrolled,) = enroll_from(server.url, tmp_path).certificates
    key = load_pem_private_key(enrolled.key_file.read_bytes(), None)
    certificate = load_pem_x509_certificate(enrolled.certificate_file.read_bytes())
    chain = load_pem_x509_certificates(enrolled.chain_file.read_bytes())
    assert certificate.public_key() == key.public_key()
    certificate.verify_directly_issued_by(chain[0])
    chain[0].verify_directly_issued_by(chain[1])
    assert stat.S_IMODE(enrolled.key_file.stat().st_mode) == 0o600
    assert list_statuses(server) == ["Completed"]


def test_what_the_user_gives_is_sent(tmp_path: Path) -> None:
    with server_with() as server:
        enroll_from(server.url, tmp_path)
    (wish,) = (body for method, path, body in server.calls if (method, path.endswith("/requests")) == ("POST", True))
    assert (wish["comment"], wish["datacollection"], wish["type"]) == ("please", [{"Reason": "work"}], "Enroll")


def test_several_keys_are_each_asked_for_and_each_kept(tmp_path: Path) -> None:
    with server_with({OPTIONS_CALL: lambda _: (200, [OPTIONS, OPTIONS])}) as server:
        enrollment = enroll_from(server.url, tmp_path)
    names = [each.certificate_file.name for each in enrollment.certificates]
    assert names == ["software-certificate-1.pem", "software-certificate-2.pem"]


def test_a_lost_answer_is_asked_for_again_with_the_same_requests(tmp_path: Path) -> None:
    lost: list[object] = []

    def lose_the_first(body: Any) -> Reply:
        lost.append(body)
        if len(lost) == 1:
            raise ConnectionError
        return answer_well(body)

    with server_with({SUBMIT: lose_the_first}) as server:
        assert len(enroll_from(server.url, tmp_path).certificates) == 1
    assert len(lost) == 2
    assert lost[0] == lost[1]


def for_another_key(_: Any) -> Reply:
    certificate = sign(draft_of(request=request_for(make_subject_key(KeyAlgorithm.RSA, 2048)), issuer=HIERARCHY.issuer))
    return 200, [answer_with(HIERARCHY.authority.respond(certificate, ResponseForm.CMC, HashAlgorithm.SHA256))]


def without_chain(body: Any) -> Reply:
    return 200, [answer_with(encode_certificates_only([issue(body["certificaterequests"][0])]))]


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (for_another_key, "key-mismatch"),
        (without_chain, "chain-broken"),
        (lambda _: (200, [answer_with(b"no CMS at all")]), "answer-unfit"),
        (
            lambda _: (200, [answer_with(None, {"ErrorCode": "key-weak", "Message": "The key is known to be weak."})]),
            "certificate-refused",
        ),
        (lambda _: (200, [answer_with(None)]), "certificate-refused"),
        (lambda _: (200, []), "answer-unfit"),
        (lambda _: (200, {"Pkcs7": 7}), "answer-unfit"),
        (lambda _: (200, b"<html>"), "answer-unfit"),
    ],
)
def test_an_answer_that_proves_nothing_is_not_believed_and_the_request_given_up(
    reply: Callable[[Any], Reply], code: str, tmp_path: Path
) -> None:
    with server_with({SUBMIT: reply}) as server, pytest.raises(AnswerUnfit) as unfit:
        enroll_from(server.url, tmp_path)
    assert unfit.value.code == code
    assert list_statuses(server) == ["Abandoned"]
    assert list(tmp_path.iterdir()) == []
    with server_with() as honest:
        assert len(enroll_from(honest.url, tmp_path).certificates) == 1


def test_a_refusal_keeps_the_servers_code_and_correlation_identifier(tmp_path: Path) -> None:
    body = {"Message": "You may not start this request.", "ErrorCode": "access-denied", "CorrelationId": "c0ffee"}
    with server_with({CREATE: lambda _: (403, body)}) as server, pytest.raises(ServerRefused) as refused:
        enroll_from(server.url, tmp_path)
    error = refused.value
    assert (error.code, error.text, error.status, error.correlation_id) == (
        "access-denied",
        "You may not start this request.",
        403,
        "c0ffee",
    )


def test_a_refusal_that_is_no_json_still_has_a_code(tmp_path: Path) -> None:
    with server_with({CREATE: lambda _: (502, b"<html>")}) as server, pytest.raises(ServerRefused) as refused:
        enroll_from(server.url, tmp_path)
    assert refused.value.code == "http-502"


def test_a_template_that_is_not_offered_is_told_with_those_that_are(tmp_path: Path) -> None:
    other = {**TEMPLATE, "Name": "Another"}
    with server_with({LIST: lambda _: (200, [other])}) as server, pytest.raises(AnswerUnfit) as unfit:
        enroll_from(server.url, tmp_path)
    assert unfit.value.code == "template-not-offered"
    assert "Another" in unfit.value.text


def test_a_key_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    key = tmp_path / "software-certificate.key.pem"
    key.write_text("precious")
    with server_with() as server, pytest.raises(FileExists):
        enroll_from(server.url, tmp_path)
    assert key.read_text() == "precious"
    assert [path for method, path, _ in server.calls if method == "POST"] == []


def test_no_request_is_opened_when_its_files_could_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with server_with() as server, pytest.raises(NotADirectoryError):
        enroll_from(server.url, tmp_path / "file" / "folder")
    assert server.calls == []


def test_ctrl_c_gives_the_request_up_and_leaves_no_files(tmp_path: Path) -> None:
    def interrupt(_: Exchange) -> None:
        if list(tmp_path.glob("*.key.pem")):
            raise KeyboardInterrupt

    with server_with() as server, pytest.raises(KeyboardInterrupt):
        enroll_from(server.url, tmp_path, interrupt)
    assert list_statuses(server) == ["Abandoned"]
    assert list(tmp_path.iterdir()) == []


# -- every form of answer ----------------------------------------------------------------------------------------------


def test_certificates_from_elsewhere_come_without_their_issuers(tmp_path: Path) -> None:
    foreign = sign(draft_of(request=request_for(make_subject_key(KeyAlgorithm.RSA, 2048)), issuer=HIERARCHY.issuer))
    external = answer_with(encode_certificates_only([foreign])) | {"IsExternal": True, "TemplateCommonName": "Elsewhere"}

    def answer(body: Any) -> Reply:
        status, answers = answer_well(body)
        assert isinstance(answers, list)
        return status, [*answers, external]

    with server_with({SUBMIT: answer}) as server:
        own, attached = enroll_from(server.url, tmp_path).certificates
    assert list_statuses(server) == ["Completed"]
    assert (own.is_external, attached.is_external) == (False, True)
    assert (attached.key_file, attached.chain_file) == (None, None)
    assert load_pem_x509_certificate(attached.certificate_file.read_bytes()).public_bytes(Encoding.DER) == foreign


@pytest.mark.parametrize("flag", ["IsExternal", "isKeyHistory"])
@pytest.mark.parametrize("error", [{"ErrorCode": "archive-unreadable", "Message": "It does not open."}, "It does not open."])
def test_what_was_there_before_and_cannot_be_given_back_is_told_and_spoils_nothing(
    error: Any, flag: str, tmp_path: Path
) -> None:
    def answer(body: Any) -> Reply:
        status, answers = answer_well(body)
        assert isinstance(answers, list)
        return status, [*answers, answer_with(None, error) | {flag: True}]

    with server_with({SUBMIT: answer}) as server:
        enrollment = enroll_from(server.url, tmp_path)
    assert len(enrollment.certificates) == 1
    assert "It does not open." in enrollment.faults[0]
    assert list_statuses(server) == ["Completed"]


def test_a_request_that_waits_for_approval_stays_open_and_it_is_said_how_to_go_on(tmp_path: Path) -> None:
    refusal = {"Message": "Not now.", "ErrorCode": "transition-refused", "CorrelationId": ""}
    pending = {
        "Uuid": REQUEST,
        "RequestType": 1,
        "ProfileTemplateUuid": TEMPLATE["Uuid"],
        "OriginatorUserUuid": REQUEST,
        "TargetUserUuid": REQUEST,
        "Status": 16,
    }
    changes = {OPTIONS_CALL: lambda _: (409, refusal), ("GET", f"/requests/{REQUEST}"): lambda _: (200, pending)}
    with server_with(changes) as server, pytest.raises(RequestPending) as waits:
        enroll_from(server.url, tmp_path)
    assert f"--request {REQUEST}" in waits.value.text
    assert list_statuses(server) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("body", "text"),
    [({"Message": "No.", "ErrorCode": "no"}, "No."), ("In a sentence.", "In a sentence."), (b"", "Bad Request")],
)
def test_refusals_are_understood_in_every_form(body: object, text: str, tmp_path: Path) -> None:
    with server_with({CREATE: lambda _: (400, body)}) as server, pytest.raises(ServerRefused) as refused:
        enroll_from(server.url, tmp_path)
    assert refused.value.text == text


# -- requests that others have started ---------------------------------------------------------------------------------


def execute_from(url: str, out: Path) -> Enrollment:
    with RestClient(Server(url=url, user="subscriber", password="secret")) as client:
        return execute(client, UUID(REQUEST), Wish(template="", out=out))


STARTED: dict[tuple[str, str], Callable[[Any], Reply]] = {
    ("GET", f"/requests/{REQUEST}"): lambda _: (
        200,
        {
            "Uuid": REQUEST,
            "RequestType": 1,
            "ProfileTemplateUuid": TEMPLATE["Uuid"],
            "OriginatorUserUuid": REQUEST,
            "TargetUserUuid": REQUEST,
        },
    )
}


def test_a_run_whose_answers_were_lost_is_gone_on_with_by_the_next_one(tmp_path: Path) -> None:
    sent: list[Any] = []

    def lose(body: Any) -> Reply:
        sent.append(body["certificaterequests"])
        raise ConnectionError

    with server_with({**STARTED, SUBMIT: lose}) as server, pytest.raises(ServerUnreachable):
        execute_from(server.url, tmp_path)
    assert list_statuses(server) == []
    with server_with(STARTED) as server:
        (enrolled,) = execute_from(server.url, tmp_path).certificates
        (resent,) = [body["certificaterequests"] for method, path, body in server.calls if path.endswith("/certificatedata")]
    assert [resent] * 3 == sent
    assert {each.name for each in tmp_path.iterdir()} == {
        enrolled.certificate_file.name,
        "software-certificate.chain.pem",
        "software-certificate.key.pem",
    }


def test_a_run_that_was_refused_leaves_nothing_in_the_way_of_the_next_one(tmp_path: Path) -> None:
    with server_with({**STARTED, SUBMIT: lambda _: (403, "Not you.")}) as server, pytest.raises(ServerRefused):
        execute_from(server.url, tmp_path)
    assert list(tmp_path.iterdir()) == []
    with server_with(STARTED) as server:
        assert len(execute_from(server.url, tmp_path).certificates) == 1


# -- addresses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["http://ca.example.com", "http://192.0.2.1:8080", "HTTP://[2001:db8::1]", "http://localhost.evil.org"]
)
def test_no_password_is_sent_in_clear_over_a_network(url: str) -> None:
    with pytest.raises(AddressUnsafe) as unsafe:
        RestClient(Server(url=url, user="subscriber", password="secret"))
    assert unsafe.value.code == "address-unsafe"
    assert "https://" in unsafe.value.text


@pytest.mark.parametrize(
    "url", ["http://localhost:8080", "http://127.0.0.1", "http://127.8.9.1", "http://[::1]:80", "https://x.org"]
)
def test_plain_http_to_this_machine_alone_is_taken(url: str) -> None:
    with RestClient(Server(url=url, user="subscriber", password="secret")):
        assert get_host(url) != ""


@pytest.mark.parametrize(
    "url", ["ca.example.com", "ldap://x", "https://", "https://a:b@x.org", "https://x:port", "https://[::1"]
)
def test_what_is_no_address_is_refused_as_such(url: str) -> None:
    with pytest.raises(AddressUnsafe) as unsafe:
        get_host(url)
    assert unsafe.value.code == "address-malformed"


def test_a_server_that_is_not_there_is_told_as_such(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ServerUnreachable):
        enroll_from(f"http://127.0.0.1:{port}", tmp_path)


def test_whoever_watches_sees_what_was_sent_and_what_came_back_but_no_password(tmp_path: Path) -> None:
    seen: list[Exchange] = []
    with server_with() as server:
        enroll_from(server.url, tmp_path, seen.append)
    assert [each.status for each in seen] == [200, 201, 200, 200, 200]
    assert "certificaterequests" in seen[3].sent
    assert "secret" not in str(seen)


def test_a_ca_file_without_certificates_is_told_as_such(tmp_path: Path) -> None:
    empty = tmp_path / "ca.pem"
    empty.write_text("nothing")
    with pytest.raises(ClientError) as unreadable:
        RestClient(Server(url="https://localhost", user="x", password="y", ca=empty))
    assert unreadable.value.code == "ca-unreadable"
