"""The key that a certificate template asks for must be one that we certify."""

from certwright.domain.errors import DefinitionInvalid, Refused
from certwright.domain.profile_templates import CertificateTemplate, X509KeyUsage
from certwright.domain.public_keys import KeyAlgorithm

KEY_BITS = {
    KeyAlgorithm.RSA: (2048, 3072, 4096),
    KeyAlgorithm.ECDSA_P256: (256,),
    KeyAlgorithm.ECDSA_P384: (384,),
}


def list_key_definition_faults(template: CertificateTemplate) -> list[Refused]:
    """Return what is wrong with algorithm, size and usages.

    Source: issue 2, part 5; SP 800-57 part 1 for the lower bound; RFC 3279 section 2.3.1 and RFC 5480 section 3 for usages.
    """
    key, where = template.key, f"certificate_templates.{template.common_name}"
    sizes = KEY_BITS.get(key.algorithm, ())
    faults: list[Refused] = []
    if key.bits not in sizes:
        wanted = " or ".join(map(str, sizes)) or "another algorithm"
        detail = f"{key.algorithm} with {key.bits} bits is not certified, but {wanted}"
        faults.append(DefinitionInvalid(f"{where}.key.bits", detail))
    misfit = X509KeyUsage.KEY_AGREEMENT if key.algorithm is KeyAlgorithm.RSA else X509KeyUsage.KEY_ENCIPHERMENT
    if not template.key_usages - {misfit}:
        faults.append(DefinitionInvalid(f"{where}.key_usages", f"none of them fits a key of {key.algorithm}"))
    return faults
