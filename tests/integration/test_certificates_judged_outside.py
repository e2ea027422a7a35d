"""What programs that are not ours say of certificates and answers: openssl, certtool, pyasn1."""

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyasn1.codec.der import decoder
from pyasn1_modules import rfc2315, rfc5280, rfc5652, rfc6402

from certwright.adapters.authorities.tls import issue_server_identity
from certwright.domain.certificates import SerialNumber
from certwright.domain.issuing import clear
from certwright.domain.profile_templates import ResponseForm
from certwright.domain.public_keys import HashAlgorithm, KeyAlgorithm
from worlds.authorities import KEY_KINDS, Hierarchy, make_hierarchy, make_subject_key, request_for
from worlds.contoso import CERTIFICATE_TEMPLATE, NOW, SUBSCRIBER, draft_of

needs_certtool = pytest.mark.skipif(shutil.which("certtool") is None, reason="certtool (Debian: gnutls-bin) is not installed")
AT = str(int(NOW.timestamp()))
SUBJECT_KEY = make_subject_key(KeyAlgorithm.RSA, 2048)


def name_kind(kind: tuple[KeyAlgorithm, int]) -> str:
    return f"{kind[0].value}-{kind[1]}"


every_authority = pytest.mark.parametrize("kind", KEY_KINDS, ids=name_kind)


def run(*arguments: object, standard_input: bytes = b"") -> str:
    """Return what the program printed; a failure shows what it complained of."""
    done = subprocess.run([str(each) for each in arguments], input=standard_input, capture_output=True, check=False)
    output = (done.stdout + done.stderr).decode(errors="replace")
    assert done.returncode == 0, output
    return output


def to_pem(*certificates: bytes) -> bytes:
    return b"".join(x509.load_der_x509_certificate(each).public_bytes(Encoding.PEM) for each in certificates)


def issue(hierarchy: Hierarchy, now: datetime = NOW) -> bytes:
    draft = draft_of(CERTIFICATE_TEMPLATE, request_for(SUBJECT_KEY), SUBSCRIBER.user, hierarchy.issuer, now)
    cleared = clear(draft, subject=SUBSCRIBER.user, issuer=hierarchy.issuer, key_holder=None)
    return hierarchy.authority.sign(hierarchy.authority.prepare(cleared))


@every_authority
def test_openssl_builds_the_chain_and_reads_every_extension(kind: tuple[KeyAlgorithm, int], tmp_path: Path) -> None:
    hierarchy = make_hierarchy(*kind)
    leaf = issue(hierarchy)
    (tmp_path / "root.pem").write_bytes(to_pem(hierarchy.root.certificate))
    (tmp_path / "issuing.pem").write_bytes(to_pem(hierarchy.issuing.certificate))
    (tmp_path / "leaf.pem").write_bytes(to_pem(leaf))
    arguments = ("-x509_strict", "-purpose", "sslclient", "-attime", AT, "-CAfile", tmp_path / "root.pem")
    output = run("openssl", "verify", *arguments, "-untrusted", tmp_path / "issuing.pem", tmp_path / "leaf.pem")
    assert output.endswith("leaf.pem: OK\n")
    text = run("openssl", "x509", "-in", tmp_path / "leaf.pem", "-noout", "-text", "-nameopt", "RFC2253")
    assert f"Subject: {SUBSCRIBER.user.distinguished_name}" in text
    assert f"othername: UPN::{SUBSCRIBER.user.principal_name}" in text
    assert "TLS Web Client Authentication" in text
    assert "X509v3 Key Usage: critical\n                Digital Signature, Key Encipherment" in text


@every_authority
@pytest.mark.parametrize("digest", [HashAlgorithm.SHA1, HashAlgorithm.SHA256, HashAlgorithm.SHA512])
def test_openssl_verifies_the_cmc_answer(kind: tuple[KeyAlgorithm, int], digest: HashAlgorithm, tmp_path: Path) -> None:
    hierarchy = make_hierarchy(*kind)
    answer = hierarchy.authority.respond(issue(hierarchy), ResponseForm.CMC, digest)
    (tmp_path / "root.pem").write_bytes(to_pem(hierarchy.root.certificate))
    output = run(
        *("openssl", "cms", "-verify", "-inform", "DER", "-CAfile", tmp_path / "root.pem"),
        *("-attime", AT, "-out", tmp_path / "content.der"),
        standard_input=answer,
    )
    assert "CMS Verification successful" in output
    assert b"Issued" in (tmp_path / "content.der").read_bytes()


def test_openssl_refuses_a_changed_answer(tmp_path: Path) -> None:
    hierarchy = make_hierarchy()
    answer = hierarchy.authority.respond(issue(hierarchy), ResponseForm.CMC, HashAlgorithm.SHA256)
    (tmp_path / "root.pem").write_bytes(to_pem(hierarchy.root.certificate))
    with pytest.raises(AssertionError, match="CMS Verification failure"):
        run(
            *("openssl", "cms", "-verify", "-inform", "DER", "-CAfile", tmp_path / "root.pem", "-attime", AT),
            standard_input=answer.replace(b"Issued", b"Denied"),
        )


def test_openssl_reads_the_answer_with_certificates_only() -> None:
    hierarchy = make_hierarchy()
    answer = hierarchy.authority.respond(issue(hierarchy), ResponseForm.CERTIFICATES_ONLY, HashAlgorithm.SHA256)
    output = run("openssl", "pkcs7", "-inform", "DER", "-print_certs", "-noout", standard_input=answer)
    assert output.count("subject=") == 3


def test_pyasn1_finds_status_and_issued_certificate_in_the_answer() -> None:
    hierarchy = make_hierarchy(KeyAlgorithm.RSA, 2048)
    leaf = issue(hierarchy)
    outer, rest = decoder.decode(
        hierarchy.authority.respond(leaf, ResponseForm.CMC, HashAlgorithm.SHA256), asn1Spec=rfc5652.ContentInfo()
    )
    assert rest == b""
    signed, rest = decoder.decode(outer["content"], asn1Spec=rfc5652.SignedData())
    assert (rest, int(signed["version"]), len(signed["signerInfos"])) == (b"", 3, 1)
    assert signed["encapContentInfo"]["eContentType"] == rfc6402.id_cct_PKIResponse
    response, rest = decoder.decode(bytes(signed["encapContentInfo"]["eContent"]), asn1Spec=rfc6402.PKIResponse())
    assert rest == b""
    assert (len(response["controlSequence"]), len(response["cmsSequence"]), len(response["otherMsgSequence"])) == (2, 0, 0)
    control = response["controlSequence"][0]
    assert control["attrType"] == rfc6402.id_cmc_statusInfo
    status, _ = decoder.decode(control["attrValues"][0], asn1Spec=rfc6402.CMCStatusInfo())
    assert (int(status["cMCStatus"]), [int(each) for each in status["bodyList"]]) == (0, [1])
    assert str(status["statusString"]) == "Issued"
    attributes = {each["attrType"] for each in signed["signerInfos"][0]["signedAttrs"]}
    assert attributes == {rfc5652.id_contentType, rfc5652.id_messageDigest}


def test_pyasn1_reads_the_older_form_too() -> None:
    hierarchy = make_hierarchy()
    answer = hierarchy.authority.respond(issue(hierarchy), ResponseForm.CERTIFICATES_ONLY, HashAlgorithm.SHA256)
    outer, _ = decoder.decode(answer, asn1Spec=rfc2315.ContentInfo())
    signed, rest = decoder.decode(outer["content"], asn1Spec=rfc2315.SignedData())
    assert (rest, len(signed["certificates"]), len(signed["signerInfos"])) == (b"", 3, 0)


def test_pyasn1_reads_the_certificate_without_a_remainder() -> None:
    certificate, rest = decoder.decode(issue(make_hierarchy()), asn1Spec=rfc5280.Certificate())
    assert rest == b""
    assert int(certificate["tbsCertificate"]["version"]) == 2


@needs_certtool
@every_authority
def test_certtool_reads_the_certificate_and_trusts_its_chain(kind: tuple[KeyAlgorithm, int], tmp_path: Path) -> None:
    hierarchy = make_hierarchy(*kind)
    leaf = issue(hierarchy, datetime.now(UTC))
    (tmp_path / "leaf.der").write_bytes(leaf)
    text = run("certtool", "--certificate-info", "--inder", "--infile", tmp_path / "leaf.der")
    assert SUBSCRIBER.user.distinguished_name in text
    assert f"User Principal Name: {SUBSCRIBER.user.principal_name}" in text
    assert "Key Purpose (not critical):\n\t\t\tTLS WWW Client." in text
    (tmp_path / "chain.pem").write_bytes(to_pem(leaf, hierarchy.issuing.certificate))
    (tmp_path / "root.pem").write_bytes(to_pem(hierarchy.root.certificate))
    arguments = ("--verify", "--verify-profile", "medium", "--load-ca-certificate", tmp_path / "root.pem")
    assert "Verified. The certificate is trusted." in run("certtool", *arguments, "--infile", tmp_path / "chain.pem")


@needs_certtool
def test_certtool_reads_the_answer() -> None:
    hierarchy = make_hierarchy(KeyAlgorithm.RSA, 2048)
    answer = hierarchy.authority.respond(issue(hierarchy), ResponseForm.CMC, HashAlgorithm.SHA256)
    assert "Number of certificates: 3" in run("certtool", "--p7-info", "--inder", standard_input=answer)


def test_openssl_takes_the_servers_certificate_for_its_host(tmp_path: Path) -> None:
    hierarchy = make_hierarchy()
    identity = issue_server_identity(
        ["localhost", "127.0.0.1"],
        hierarchy.issuer,
        hierarchy.issuing_key,
        serial=SerialNumber(2**120),
        now=NOW,
        password="a passphrase",
    )
    (tmp_path / "server.pem").write_bytes(identity.certificates)
    (tmp_path / "root.pem").write_bytes(to_pem(hierarchy.root.certificate))
    arguments = ("-x509_strict", "-purpose", "sslserver", "-attime", AT, "-CAfile", tmp_path / "root.pem")
    for host in (("-verify_hostname", "localhost"), ("-verify_ip", "127.0.0.1")):
        untrusted = ("-untrusted", tmp_path / "server.pem")
        assert "OK" in run("openssl", "verify", *arguments, *host, *untrusted, tmp_path / "server.pem")
    assert "Key is valid" in run(
        "openssl", "pkey", "-check", "-noout", "-passin", "pass:a passphrase", standard_input=identity.private_key
    )
