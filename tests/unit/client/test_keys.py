"""Keys and requests that a client makes."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from certwright.client.errors import AnswerUnfit
from certwright.client.keys import encode_certificate_request, encode_private_key, generate_key
from certwright.client.rest import GenerationOptions
from certwright.domain.public_keys import HashAlgorithm, KeyAlgorithm
from certwright.formats.pkcs10 import parse_certificate_request_text


@pytest.mark.parametrize(
    ("options", "algorithm", "bits", "signed_with"),
    [
        (GenerationOptions("RSA", 2048, "SHA256"), KeyAlgorithm.RSA, 2048, HashAlgorithm.SHA256),
        (GenerationOptions("RSA", 2048, "SHA1"), KeyAlgorithm.RSA, 2048, HashAlgorithm.SHA256),
        (GenerationOptions("RSA", 2048, "SHA512"), KeyAlgorithm.RSA, 2048, HashAlgorithm.SHA512),
        (GenerationOptions("ECDSA_P256", 256), KeyAlgorithm.ECDSA_P256, 256, HashAlgorithm.SHA256),
        (GenerationOptions("ECDSA_P384", 384, "SHA384"), KeyAlgorithm.ECDSA_P384, 384, HashAlgorithm.SHA384),
    ],
)
def test_a_request_is_as_the_options_say_and_signed_at_least_as_well(
    options: GenerationOptions, algorithm: KeyAlgorithm, bits: int, signed_with: HashAlgorithm
) -> None:
    request = parse_certificate_request_text(encode_certificate_request(generate_key(options), options))
    assert (request.public_key.algorithm, request.public_key.bits) == (algorithm, bits)
    assert (request.signature_hash, request.is_proven, request.subject) == (signed_with, True, "")


def test_a_request_is_base64_in_lines_that_end_with_crlf() -> None:
    options = GenerationOptions("ECDSA_P256", 256)
    text = encode_certificate_request(generate_key(options), options)
    assert text.endswith("\r\n")
    assert text.count("\n") == text.count("\r\n") > 1


@pytest.mark.parametrize(("algorithm", "bits"), [("RSA", 1024), ("RSA", 0), ("RSA", 10**9), ("DSA", 2048), ("", 0)])
def test_a_key_that_no_client_should_make_is_refused(algorithm: str, bits: int) -> None:
    with pytest.raises(AnswerUnfit):
        generate_key(GenerationOptions(algorithm, bits))


@pytest.mark.parametrize("options", [GenerationOptions("RSA", 2048), GenerationOptions("ECDSA_P256", 256)])
def test_a_private_key_is_kept_as_pem_that_others_read(options: GenerationOptions) -> None:
    key = generate_key(options)
    read = load_pem_private_key(encode_private_key(key), None)
    assert isinstance(read, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
    assert read.public_key() == key.public_key()
