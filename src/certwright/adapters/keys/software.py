"""Private keys in this program's memory, sealed where they rest."""

from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from certwright.adapters.keys.key_encryption import KeyEncryptionKey
from certwright.domain.errors import DefinitionInvalid, KeyUnavailable
from certwright.domain.keys import SealedKey
from certwright.domain.public_keys import HashAlgorithm, KeyAlgorithm, PublicKey
from certwright.formats.algorithms import HASHES
from certwright.formats.public_keys import describe_public_key

PUBLIC_EXPONENT = 65_537
RSA_BITS = (2_048, 3_072, 4_096)
CURVES: dict[tuple[KeyAlgorithm, int], ec.EllipticCurve] = {
    (KeyAlgorithm.ECDSA_P256, 256): ec.SECP256R1(),
    (KeyAlgorithm.ECDSA_P384, 384): ec.SECP384R1(),
}


class SoftwareKey:
    """A signing key of the port `SigningKey`. Loaded once: the library checks a key at length each time it loads one."""

    def __init__(self, name: str, private_key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> None:
        self._name = name
        self._private_key = private_key
        self._public_key = describe_public_key(private_key.public_key())

    @property
    def name(self) -> str:
        """Return the name under which the key rests."""
        return self._name

    @property
    def public_key(self) -> PublicKey:
        """Return the other half."""
        return self._public_key

    def sign(self, data: bytes, hash_algorithm: HashAlgorithm) -> bytes:
        """Return the signature, the same each time: ECDSA takes its secret number from key and data (RFC 6979)."""
        chosen = HASHES[hash_algorithm]
        if isinstance(self._private_key, rsa.RSAPrivateKey):
            return self._private_key.sign(data, padding.PKCS1v15(), chosen)
        return self._private_key.sign(data, ec.ECDSA(chosen, deterministic_signing=True))


def generate_key(name: str, algorithm: KeyAlgorithm, bits: int, *, kek: KeyEncryptionKey, now: datetime) -> SealedKey:
    """Return a new key, sealed. RSA keys take their time: a second or more for 4096 bits.

    Errors: DefinitionInvalid for other than RSA with 2048, 3072 or 4096 bits and the curves P-256 and P-384.
    """
    private_key = _generate(name, algorithm, bits)
    plain = private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    public = describe_public_key(private_key.public_key()).encoded
    return SealedKey(name=name, public=public, sealed=kek.seal(plain, name), created=now)


def open_key(sealed: SealedKey, kek: KeyEncryptionKey) -> SoftwareKey:
    """Return the key, ready to sign.

    Errors: KeyUnavailable for another passphrase, and for a key that was changed, renamed or is not that of its public half.
    """
    plain = kek.open(sealed.sealed, sealed.name)
    # What opens is what we sealed, bit for bit: the library need not prove the primes again, which takes it long.
    private_key = load_der_private_key(plain, None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(private_key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise KeyUnavailable(sealed.name)
    key = SoftwareKey(sealed.name, private_key)
    if key.public_key.encoded != sealed.public:
        raise KeyUnavailable(sealed.name)
    return key


def _generate(name: str, algorithm: KeyAlgorithm, bits: int) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    if algorithm is KeyAlgorithm.RSA and bits in RSA_BITS:
        return rsa.generate_private_key(PUBLIC_EXPONENT, bits)
    curve = CURVES.get((algorithm, bits))
    if curve is None:
        raise DefinitionInvalid(f"key {name}", "RSA with 2048, 3072 or 4096 bits, ECDSA_P256 and ECDSA_P384 can be made")
    return ec.generate_private_key(curve)
