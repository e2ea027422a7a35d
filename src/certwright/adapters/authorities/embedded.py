"""The certification authority inside this program."""

from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat import asn1

from certwright.domain.errors import KeyUnavailable
from certwright.domain.issuing import Cleared, Issuer, Signed, SigningOrder
from certwright.domain.ports import SigningKey
from certwright.domain.profile_templates import ResponseForm
from certwright.domain.public_keys import HashAlgorithm
from certwright.formats.algorithms import natural_hash_of, signature_identifier_of
from certwright.formats.cmc import encode_issued_response
from certwright.formats.cms import Signer, encode_certificates_only
from certwright.formats.end_entity import encode_to_be_signed
from certwright.formats.public_keys import key_identifier_of
from certwright.formats.x509 import assemble_certificate


class EmbeddedAuthority:
    """Keeps the port `CertificationAuthority` with a key of ours, wherever that key is."""

    def __init__(self, issuer: Issuer, key: SigningKey) -> None:
        """Errors: KeyUnavailable when *key* is not that of the issuer's certificate."""
        if key_identifier_of(key.public_key.encoded) != issuer.key_identifier:
            raise KeyUnavailable(key.name)
        self._issuer = issuer
        self._key = key
        self._hash = natural_hash_of(key.public_key)
        self._signature = signature_identifier_of(key.public_key, self._hash)
        certificate = x509.load_der_x509_certificate(issuer.chain[0])
        self._signer = Signer(certificate.issuer.public_bytes(), certificate.serial_number, key.public_key)
        self._marks = (asn1.encode_der(self._signature) + issuer.subject, issuer.key_identifier)

    @property
    def issuer(self) -> Issuer:
        """Return what certificates say about this authority."""
        return self._issuer

    @property
    def key_name(self) -> str:
        """Return the name of the key that signs."""
        return self._key.name

    def prepare(self, cleared: Cleared) -> bytes:
        """Return the DER TBSCertificate. Errors: NameRefused; DefinitionInvalid."""
        return encode_to_be_signed(cleared.draft, self._issuer, self._signature)

    def sign(self, to_be_signed: bytes) -> bytes:
        """Return the DER Certificate; the same for the same bytes where the key signs so.

        Errors: KeyUnavailable, also for bytes that another authority or another key of this one was to sign.
        """
        # They may come out of a store that another authority has filled since; its name, its algorithm and its key
        # identifier stand in the bytes as they are.
        if not all(mark in to_be_signed for mark in self._marks):
            raise KeyUnavailable(self._key.name)
        return assemble_certificate(to_be_signed, self._key.sign(to_be_signed, self._hash), self._signature)

    def sign_each(self, orders: Sequence[SigningOrder]) -> list[Signed]:
        """Return certificate and answer for each order. Errors: KeyUnavailable, as `sign`."""
        certificates = [self.sign(each.to_be_signed) for each in orders]
        return [
            Signed(encoded, None if each.form is None else self.respond(encoded, each.form, each.digest))
            for encoded, each in zip(certificates, orders, strict=True)
        ]

    def respond(self, certificate: bytes, form: ResponseForm, digest: HashAlgorithm) -> bytes:
        """Return the answer with the whole chain.

        Shape: *digest* is made as strong as the authority's key, unless it is SHA-1, which old clients ask for.

        Errors: KeyUnavailable.
        """
        if form is ResponseForm.CERTIFICATES_ONLY:
            return encode_certificates_only((certificate, *self._issuer.chain))
        chosen = digest if digest is HashAlgorithm.SHA1 else max(digest, self._hash, key=lambda each: each.strength)
        return encode_issued_response(
            certificate,
            self._issuer.chain,
            signer=self._signer,
            digest=chosen,
            sign=lambda attributes: self._key.sign(attributes, chosen),
        )
