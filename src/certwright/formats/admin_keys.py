"""Administrator keys of cards: derived, and asked with.

Source: domain.md 7; NIST SP 800-108r1 section 4.1 (KDF in counter mode); NIST SP 800-67r2 section 3.3 (weak keys).
"""

from uuid import UUID

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.kbkdf import KBKDFHMAC, CounterLocation, Mode

from certwright.domain.admin_keys import AdminKeyAlgorithm
from certwright.domain.errors import MalformedValue

LABEL = b"CM admin key v1"
COUNTER_OCTETS = 4
_DES_OCTETS = 8
_WEAK_DES_TEXT = """
0101010101010101 fefefefefefefefe e0e0e0e0f1f1f1f1 1f1f1f1f0e0e0e0e
01fe01fe01fe01fe fe01fe01fe01fe01 1fe01fe00ef10ef1 e01fe01ff10ef10e
01e001e001f101f1 e001e001f101f101 1ffe1ffe0efe0efe fe1ffe1ffe0efe0e
011f011f010e010e 1f011f010e010e01 e0fee0fef1fef1fe fee0fee0fef1fef1
"""
_WEAK_DES_KEYS = frozenset(bytes.fromhex(each) for each in _WEAK_DES_TEXT.split())
"""The four keys that undo themselves, and the six pairs of which one undoes the other, with odd parity."""


def derive_admin_key(master: bytes, card_id: UUID, algorithm: AdminKeyAlgorithm) -> bytes:
    """Return the card's own key: always the same for the same master key and card.

    Shape: SP 800-108 in counter mode with HMAC-SHA-256; 32-bit counter before the label, zero octet, context and 32-bit
    length in bits; the context is the card's identifier as Windows stores a GUID, little-endian. A key for 3DES gets odd
    parity; should it be weak, the label is followed by 1, 2 and so on until it is not.
    """
    attempt = 0
    while True:
        label = LABEL + (str(attempt).encode() if attempt else b"")
        derivation = KBKDFHMAC(
            algorithm=SHA256(),
            mode=Mode.CounterMode,
            length=algorithm.key_octets,
            rlen=COUNTER_OCTETS,
            llen=COUNTER_OCTETS,
            location=CounterLocation.BeforeFixed,
            label=label,
            context=card_id.bytes_le,
            fixed=None,
        )
        key = derivation.derive(master)
        if algorithm is not AdminKeyAlgorithm.TRIPLE_DES:
            return key
        key = set_odd_parity(key)
        if not is_weak(key):
            return key
        attempt += 1


def answer_challenge(key: bytes, challenge: bytes, algorithm: AdminKeyAlgorithm) -> bytes:
    """Return what the card wants to hear: the challenge encrypted as one block, without padding.

    Errors: MalformedValue for a challenge of another length.
    """
    check_challenge(challenge, algorithm)
    cipher = TripleDES(key) if algorithm is AdminKeyAlgorithm.TRIPLE_DES else AES(key)
    # One block by itself is what this mode is right for, and what cards take.
    encryptor = Cipher(cipher, modes.ECB()).encryptor()  # noqa: S305
    return encryptor.update(challenge) + encryptor.finalize()


def check_challenge(challenge: bytes, algorithm: AdminKeyAlgorithm) -> None:
    """Raise unless it is as long as the challenges of cards with such keys. Errors: MalformedValue."""
    if len(challenge) != algorithm.challenge_octets:
        raise MalformedValue("challenge", f"{algorithm.challenge_octets} octets are wanted for this card")


def set_odd_parity(key: bytes) -> bytes:
    """Return *key* with the lowest bit of each octet set so that its number of ones is odd."""
    return bytes(each & 0xFE | (1 - (each >> 1).bit_count() % 2) for each in key)


def is_weak(key: bytes) -> bool:
    """Return whether a 3DES key with odd parity is no better than a single DES key: a weak part, or two that are the same."""
    parts = [key[start : start + _DES_OCTETS] for start in range(0, len(key), _DES_OCTETS)]
    return len(set(parts)) < len(parts) or not _WEAK_DES_KEYS.isdisjoint(parts)
