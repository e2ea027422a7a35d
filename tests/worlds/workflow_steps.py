"""What journeys through workflows share: a template with approvals, a key, the one whom requests are for."""

from base64 import b64encode
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from certwright.domain.identities import UserId
from worlds.served import Served

MANAGED = "4c8b1eb4-4f1e-4ccf-8372-a2a784a67245"


@cache
def rsa_request(owner: str = "subscriber") -> str:
    """Return a certificate request of the one key that *owner* has in here, as base64 of DER.

    A key whose certificate is revoked as compromised is refused from then on, and some policies do that on recovery: what
    is issued on the server that tests share has a key for each request, named by its GUID.
    """
    key = rsa.generate_private_key(65537, 2048)
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    return b64encode(request.public_bytes(serialization.Encoding.DER)).decode()


def target_of(served: Served, account: str = "subscriber") -> UserId:
    """Return the identifier of the account of CORP."""
    with served.installation.world.store.reading() as session:
        found = session.directory.find_account("CORP", account)
    assert found is not None
    return found.user.id
