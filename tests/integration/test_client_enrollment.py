"""The client against servers that answer well, badly, or not at all."""

import socket
import stat
from base64 import encodebytes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate, load_pem_x509_certificates

from certwright.client.enrollment import Enrollment, Wish, enroll
from certwright.client.errors import AnswerUnfit, ClientError, FileExists, ServerRefused, ServerUnreachable
from certwright.client.rest import Exchange, RestClient, Server
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
    assert [each.name for each in tmp_path.iterdir()] == ["software-certificate.key.pem"]


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
    assert [path for method, path, _ in server.calls if method == "POST" and path.endswith("/certificatedata")] == []


def test_a_request_is_given_up_when_its_files_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with server_with() as server, pytest.raises(NotADirectoryError):
        enroll_from(server.url, tmp_path / "file" / "folder")
    assert list_statuses(server) == ["Abandoned"]


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
