"""Private keys in this program's memory, sealed where they rest."""

from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from certwright.domain.errors import DefinitionInvalid, KeyUnavailable
from certwright.domain.keys import PrivateKey, SealedKey
from certwright.domain.ports_at_rest import Cipher
from certwright.domain.profile_templates import KeySpecification
from certwright.domain.public_keys import HashAlgorithm, KeyAlgorithm, PublicKey
from certwright.formats.algorithms import HASHES
from certwright.formats.enveloped import make_oaep
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


def generate_key(name: str, algorithm: KeyAlgorithm, bits: int, *, kek: Cipher, now: datetime) -> SealedKey:
    """Return a new key, sealed. RSA keys take their time: a second or more for 4096 bits.

    Errors: DefinitionInvalid for other than RSA with 2048, 3072 or 4096 bits and the curves P-256 and P-384.
    """
    made = _describe(_generate(name, algorithm, bits))
    return SealedKey(name=name, public=made.public_key.encoded, sealed=kek.seal(made.pkcs8, name), created=now)


def open_key(sealed: SealedKey, kek: Cipher) -> SoftwareKey:
    """Return the key, ready to sign.

    Errors: KeyUnavailable for another passphrase, and for a key that was changed, renamed or is not that of its public half.
    """
    return SoftwareKey(sealed.name, _load(sealed, kek))


def load_key(name: str, plain: bytes) -> SoftwareKey:
    """Return the key of a PKCS #8 that was opened elsewhere. Errors: KeyUnavailable for kinds that we do not make."""
    return SoftwareKey(name, _parse(name, plain))


class SoftwareKeyMaker:
    """Keeps the port `KeyMaker`: each key is made when it is asked for."""

    def make(self, specification: KeySpecification) -> PrivateKey:
        """Return a new key. Errors: as `generate_key`."""
        return _describe(_generate("for a person", specification.algorithm, specification.bits))


class SoftwareKeySafe:
    """Keeps the port `KeySafe` with the key-encryption key."""

    def __init__(self, kek: Cipher) -> None:
        self._kek = kek

    def seal(self, key: PrivateKey, name: str, now: datetime) -> SealedKey:
        """Return *key*, sealed under *name*."""
        return SealedKey(name=name, public=key.public_key.encoded, sealed=self._kek.seal(key.pkcs8, name), created=now)

    def open(self, sealed: SealedKey) -> PrivateKey:
        """Return the key. Errors: as `open_key`."""
        return _describe(_load(sealed, self._kek))

    def open_for_decryption(self, sealed: SealedKey) -> "SoftwareDecryptionKey":
        """Return the key, ready for use. Errors: as `open_key`."""
        return SoftwareDecryptionKey(_load(sealed, self._kek))


class SoftwareDecryptionKey:
    """Keeps the port `DecryptionKey` in this program's memory."""

    def __init__(self, private_key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> None:
        self._private_key = private_key

    def decrypt(self, encrypted: bytes, hash_algorithm: HashAlgorithm) -> bytes:
        """Return what was encrypted by OAEP. Errors: ValueError, also for a key of a curve."""
        if not isinstance(self._private_key, rsa.RSAPrivateKey):
            raise ValueError("a key of a curve decrypts nothing")
        return self._private_key.decrypt(encrypted, make_oaep(hash_algorithm))

    def agree(self, point: bytes) -> bytes:
        """Return the agreement. Errors: ValueError, also for an RSA key and a point of another curve."""
        if not isinstance(self._private_key, ec.EllipticCurvePrivateKey):
            raise ValueError("an RSA key agrees on nothing")
        other = ec.EllipticCurvePublicKey.from_encoded_point(self._private_key.curve, point)
        return self._private_key.exchange(ec.ECDH(), other)


def _describe(private_key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> PrivateKey:
    plain = private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return PrivateKey(describe_public_key(private_key.public_key()), plain)


def _load(sealed: SealedKey, kek: Cipher) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    private_key = _parse(sealed.name, kek.open(sealed.sealed, sealed.name))
    if describe_public_key(private_key.public_key()).encoded != sealed.public:
        raise KeyUnavailable(sealed.name)
    return private_key


def _parse(name: str, plain: bytes) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    # What opens is what we sealed, bit for bit: the library need not prove the primes again, which takes it long.
    private_key = load_der_private_key(plain, None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(private_key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise KeyUnavailable(name)
    return private_key


def _generate(name: str, algorithm: KeyAlgorithm, bits: int) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    if algorithm is KeyAlgorithm.RSA and bits in RSA_BITS:
        return rsa.generate_private_key(PUBLIC_EXPONENT, bits)
    curve = CURVES.get((algorithm, bits))
    if curve is None:
        raise DefinitionInvalid(f"key {name}", "RSA with 2048, 3072 or 4096 bits, ECDSA_P256 and ECDSA_P384 can be made")
    return ec.generate_private_key(curve)
