"""Why a certificate request is not answered with a certificate."""

from dataclasses import dataclass

from certwright.domain.errors.malformed import Malformed
from certwright.domain.errors.tree import Refused


@dataclass(eq=False)
class SubmissionMismatch(Malformed):
    """Not as many certificate requests as the generation options plan."""

    code = "certificate-request-count"
    sentence = "Certificate requests sent: {given}; the generation options ask for {planned}."
    given: int
    planned: int


class CertificateRequestRejected(Refused):
    """One certificate request cannot be answered; the others can."""


@dataclass(eq=False)
class MalformedCertificateRequest(CertificateRequestRejected):
    """Not PKCS#10, or not the whole of it."""

    code = "malformed-certificate-request"
    sentence = "This is no PKCS#10 certificate request: {detail}."
    detail: str


class SignatureInvalid(CertificateRequestRejected):
    """There is no proof that the sender holds the private key."""

    code = "signature-invalid"
    sentence = "No signature by its own key that we can verify is on the certificate request."


@dataclass(eq=False)
class HashRefused(CertificateRequestRejected):
    """The certificate request's own signature uses a hash that is too weak, or that no template can ask for."""

    code = "hash-refused"
    sentence = "The certificate request is signed with {given}; the template takes {wanted}."
    given: str
    wanted: str


@dataclass(eq=False)
class KeyAlgorithmRefused(CertificateRequestRejected):
    """Another algorithm or curve than the generation options say."""

    code = "key-algorithm-refused"
    sentence = "The key is {given}; the template asks for {wanted}."
    given: str
    wanted: str


@dataclass(eq=False)
class KeyTooSmall(CertificateRequestRejected):
    """A key shorter than the generation options say."""

    code = "key-too-small"
    sentence = "The key has {given_bits} bits; the template asks for at least {wanted_bits}."
    given_bits: int
    wanted_bits: int


@dataclass(eq=False)
class KeyWeak(CertificateRequestRejected):
    """A key that can be broken whatever its size."""

    code = "key-weak"
    sentence = "The key is known to be weak: {weakness}."
    weakness: str


class KeyOfSomebodyElse(CertificateRequestRejected):
    """The key belongs to another person; who it is is not told."""

    code = "key-of-somebody-else"
    sentence = "The key is already certified for another user."


class KeyCompromised(CertificateRequestRejected):
    """A certificate for the same key was revoked because others have the key."""

    code = "key-compromised"
    sentence = "A certificate for this key was revoked because the key is compromised: make a new key."


@dataclass(eq=False)
class NameRefused(CertificateRequestRejected):
    """The directory gives no name that a certificate could carry."""

    code = "name-refused"
    sentence = "The name cannot be certified: {detail}."
    detail: str


@dataclass(eq=False)
class ValidityRefused(CertificateRequestRejected):
    """The certificate would not be valid, or longer than its issuer."""

    code = "validity-refused"
    sentence = "The validity cannot be certified: {detail}."
    detail: str
