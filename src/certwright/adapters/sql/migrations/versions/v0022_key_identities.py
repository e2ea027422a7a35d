"""Keys that are compromised; RSA keys are found by their modulus alone, whatever their exponent.

Digests were those of the whole public key. For the exponent 65537, which nearly all keys have, they stay as they are.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from alembic import op

from certwright.formats.der_reader import NotDer, read_der

revision = "0022"
down_revision = "0021"

KEY_COMPROMISE = 1
BATCH = 1_000
_RSA_ENCRYPTION = bytes.fromhex("300d06092a864886f70d0101010500")
_USUAL_EXPONENT = bytes.fromhex("0203010001")
_VERSION_3 = 0xA0

_CERTIFICATES = sa.table(
    "certificates",
    *(sa.column(each) for each in ("number", "subject_id", "key_digest", "encoded", "to_be_signed", "revocation_reason")),
)
_EXTERNAL = sa.table("external_certificates", sa.column("subject_id"), sa.column("public_key"))
_KEYS = sa.table("certified_keys", sa.column("key_digest"), sa.column("subject_id"), sa.column("is_compromised", sa.Boolean))


def upgrade() -> None:
    """Add what says that a key is compromised, and give keys with unusual exponents the digest of their modulus."""
    op.add_column("certified_keys", sa.Column("is_compromised", sa.Boolean(), nullable=False, server_default=sa.text("false")))
    connection = op.get_bind()
    for number, subject_id, public_key in list(_list_unusual(connection)):
        after = _digest_modulus(public_key)
        connection.execute(sa.update(_CERTIFICATES).where(_CERTIFICATES.c.number == number).values(key_digest=after))
        _move_claim(connection, subject_id, public_key, after)
    for subject_id, public_key in connection.execute(sa.select(_EXTERNAL.c.subject_id, _EXTERNAL.c.public_key)).all():
        if _is_unusual(public_key):
            _move_claim(connection, subject_id, public_key, _digest_modulus(public_key))
    compromised = sa.select(_CERTIFICATES.c.key_digest).where(_CERTIFICATES.c.revocation_reason == KEY_COMPROMISE)
    connection.execute(sa.update(_KEYS).where(_KEYS.c.key_digest.in_(compromised)).values(is_compromised=True))


def _move_claim(connection: sa.Connection, subject_id: Any, public_key: bytes, after: bytes) -> None:
    """Make the key the subject's under its new digest, unless somebody had the same modulus first."""
    connection.execute(sa.delete(_KEYS).where(_KEYS.c.key_digest == sha256(public_key).digest()))
    if connection.execute(sa.select(_KEYS.c.key_digest).where(_KEYS.c.key_digest == after)).first() is None:
        row = {"key_digest": after, "subject_id": subject_id, "is_compromised": False}
        connection.execute(sa.insert(_KEYS).values(row))


def _list_unusual(connection: sa.Connection) -> Iterator[tuple[int, Any, bytes]]:
    """Return number, subject and key of certificates for RSA keys with another exponent than the usual one."""
    last = 0
    columns = (_CERTIFICATES.c[each] for each in ("number", "subject_id", "encoded", "to_be_signed"))
    query = (
        sa.select(*columns).where(_CERTIFICATES.c.number > sa.bindparam("last")).order_by(_CERTIFICATES.c.number).limit(BATCH)
    )
    while rows := connection.execute(query, {"last": last}).all():
        last = rows[-1].number
        for row in rows:
            public_key = _find_public_key(row.encoded, row.to_be_signed)
            if _is_unusual(public_key):
                yield row.number, row.subject_id, public_key


def _find_public_key(certificate: bytes | None, to_be_signed: bytes | None) -> bytes:
    """Return the SubjectPublicKeyInfo; nothing where the octets are no certificate. Source: RFC 5280 section 4.1."""
    try:
        body = read_der(certificate).list_inner()[0] if certificate else read_der(to_be_signed or b"")
        fields = body.list_inner()
        return fields[6 if fields[0].tag == _VERSION_3 else 5].encoded
    except (NotDer, IndexError):
        return b""


def _is_unusual(public_key: bytes) -> bool:
    return _RSA_ENCRYPTION in public_key[:32] and not public_key.endswith(_USUAL_EXPONENT)


def _digest_modulus(public_key: bytes) -> bytes:
    """Return the digest of an RSA key with the usual exponent in place of its own."""
    _, key = read_der(public_key).list_inner()
    modulus, _ = read_der(key.read_bits()).list_inner()
    numbers = _encode(0x30, modulus.encoded + _USUAL_EXPONENT)
    return sha256(_encode(0x30, _RSA_ENCRYPTION + _encode(0x03, b"\0" + numbers))).digest()


def _encode(tag: int, content: bytes) -> bytes:
    """Return the DER of what is longer than 127 octets, as all of this is."""
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content
