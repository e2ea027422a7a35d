"""A certificate request must be signed by the key that it asks a certificate for, with a hash that the template takes."""

from certwright.domain.errors import HashRefused, Refused, SignatureInvalid
from certwright.domain.profile_templates import CertificateTemplate
from certwright.domain.public_keys import CertificateRequest, HashAlgorithm


def list_possession_faults(request: CertificateRequest, template: CertificateTemplate) -> list[Refused]:
    """Return what is wrong with the request's own signature.

    SHA-1 is taken only where the generation options themselves ask for it, as the documented clients do. The signature of an
    oversized key was not looked at: the size is what is wrong with it.

    Source: RFC 2986 section 3 for the signature; the hash is HashAlgorithmName of the generation options, domain.md 2.11.
    """
    faults: list[Refused] = []
    if not request.is_proven and not request.public_key.is_oversized:
        faults.append(SignatureInvalid())
    given, wanted = request.signature_hash, template.key.hash
    if given is None or given.strength < wanted.strength:
        faults.append(HashRefused(request.signature_name, _list_taken(wanted)))
    return faults


def _list_taken(wanted: HashAlgorithm) -> str:
    """Return what the template takes, in words: a hash that it does not know may be stronger than what it asks for."""
    *others, strongest = (each.value for each in HashAlgorithm if each.strength >= wanted.strength)
    return f"{', '.join(others)} or {strongest}" if others else strongest
