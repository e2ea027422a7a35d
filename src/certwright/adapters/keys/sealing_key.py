"""The key that seals the history."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from certwright.domain.errors import DefinitionInvalid
from certwright.domain.ports import SigningKey
from certwright.domain.public_keys import HashAlgorithm, KeyAlgorithm, PublicKey
from certwright.formats.algorithms import HASHES

HASH = HashAlgorithm.SHA256


class HistorySealingKey:
    """Keeps the port `SealingKey` with a P-256 key: ECDSA over SHA-256, DER."""

    def __init__(self, key: SigningKey) -> None:
        """Errors: DefinitionInvalid for a key of another kind."""
        public = load_der_public_key(key.public_key.encoded)
        if key.public_key.algorithm is not KeyAlgorithm.ECDSA_P256 or not isinstance(public, ec.EllipticCurvePublicKey):
            raise DefinitionInvalid(f"key {key.name}", "the history is sealed with a P-256 key")
        self._key = key
        self._public = public

    @property
    def public_key(self) -> PublicKey:
        """Return the half with which everybody can verify."""
        return self._key.public_key

    def sign(self, data: bytes) -> bytes:
        """Return the signature. Errors: KeyUnavailable."""
        return self._key.sign(data, HASH)

    def is_signed(self, data: bytes, signature: bytes) -> bool:
        """Return whether this key made *signature* over *data*."""
        try:
            self._public.verify(signature, data, ec.ECDSA(HASHES[HASH]))
        except InvalidSignature:
            return False
        return True
