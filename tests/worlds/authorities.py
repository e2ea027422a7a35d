"""Real authorities and keys for tests, made once a run and kind."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from certwright.adapters.authorities.embedded import EmbeddedAuthority
from certwright.adapters.authorities.hierarchy import AuthorityPlan, create_issuing, create_root, describe_issuer
from certwright.adapters.keys.key_encryption import KeyEncryptionKey
from certwright.adapters.keys.software import SoftwareKey, generate_key, open_key
from certwright.domain.certificates import SerialNumber
from certwright.domain.issuing import Issuer
from certwright.domain.keys import AuthorityRecord
from certwright.domain.public_keys import CertificateRequest, KeyAlgorithm, PublicKey
from certwright.formats.public_keys import describe_public_key
from worlds.contoso import CERTIFICATE_REQUEST, MODULI

FOUNDED = datetime(2024, 1, 1, 8, 0, 0, tzinfo=UTC)
"""Long ago, and valid for long: one judge looks at the clock on the wall."""
KEY_KINDS = (
    (KeyAlgorithm.RSA, 2048),
    (KeyAlgorithm.RSA, 3072),
    (KeyAlgorithm.RSA, 4096),
    (KeyAlgorithm.ECDSA_P256, 256),
    (KeyAlgorithm.ECDSA_P384, 384),
)
KEK = KeyEncryptionKey("correct horse battery staple")
"""One for all tests: it takes a quarter of a second to derive."""


@dataclass(frozen=True)
class Hierarchy:
    """A root, the authority below it, and what is needed to use them."""

    root: AuthorityRecord
    issuing: AuthorityRecord
    root_key: SoftwareKey
    issuing_key: SoftwareKey
    issuer: Issuer
    authority: EmbeddedAuthority


@lru_cache
def make_key(algorithm: KeyAlgorithm = KeyAlgorithm.ECDSA_P256, bits: int = 256, name: str = "test-key") -> SoftwareKey:
    """Return a new key, the same one for the same arguments."""
    return open_key(generate_key(name, algorithm, bits, kek=KEK, now=FOUNDED), KEK)


@lru_cache
def make_hierarchy(algorithm: KeyAlgorithm = KeyAlgorithm.ECDSA_P256, bits: int = 256) -> Hierarchy:
    """Return a two-tier authority with keys of one kind."""
    root_key, issuing_key = make_key(algorithm, bits, "root-key"), make_key(algorithm, bits, "issuing-key")
    root = create_root(
        AuthorityPlan(name="root", config_name="ca.contoso.com\\Root", subject="CN=Contoso Root CA,O=Contoso,C=DE"),
        root_key,
        serial=SerialNumber(2**150 + 1),
        now=FOUNDED,
    )
    issuing = create_issuing(
        AuthorityPlan(name="issuing", config_name="ca.contoso.com\\Issuing", subject="CN=Contoso Issuing CA,O=Contoso,C=DE"),
        issuing_key,
        above=root,
        above_key=root_key,
        serial=SerialNumber(2**150 + 2),
        now=FOUNDED,
        crl_urls=("http://pki.contoso.com/root.crl",),
        certificate_urls=("http://pki.contoso.com/root.crt",),
    )
    issuer = describe_issuer(
        (issuing, root),
        crl_urls=("http://pki.contoso.com/issuing.crl", "http://pki2.contoso.com/issuing.crl"),
        certificate_urls=("http://pki.contoso.com/issuing.crt",),
    )
    return Hierarchy(root, issuing, root_key, issuing_key, issuer, EmbeddedAuthority(issuer, issuing_key))


def make_subject_key(algorithm: KeyAlgorithm, bits: int) -> PublicKey:
    """Return a public key, from the vectors for RSA, whose private half nobody has."""
    if algorithm is KeyAlgorithm.RSA:
        modulus = next(each for each in MODULI if each.bit_length() == bits)
        return describe_public_key(rsa.RSAPublicNumbers(65_537, modulus).public_key())
    curve = ec.SECP256R1() if algorithm is KeyAlgorithm.ECDSA_P256 else ec.SECP384R1()
    return describe_public_key(ec.derive_private_key(0x123456789, curve).public_key())


def request_for(key: PublicKey) -> CertificateRequest:
    """Return what the parser would, had a client asked for a certificate for *key*."""
    return replace(CERTIFICATE_REQUEST, public_key=key)
