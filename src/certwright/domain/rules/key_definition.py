"""The key that a certificate template asks for must be one that we certify."""

from certwright.domain.errors import DefinitionInvalid, Refused
from certwright.domain.profile_templates import CertificateTemplate
from certwright.domain.public_keys import KeyAlgorithm

KEY_BITS = {
    KeyAlgorithm.RSA: (2048, 3072, 4096),
    KeyAlgorithm.ECDSA_P256: (256,),
    KeyAlgorithm.ECDSA_P384: (384,),
}


def list_key_definition_faults(template: CertificateTemplate) -> list[Refused]:
    """Return what is wrong with the algorithm and the size. Source: issue 2, part 5; SP 800-57 part 1 for the lower bound."""
    sizes = KEY_BITS.get(template.key.algorithm, ())
    if template.key.bits in sizes:
        return []
    wanted = " or ".join(map(str, sizes)) or "another algorithm"
    where = f"certificate template {template.common_name}"
    return [DefinitionInvalid(where, f"{template.key.algorithm} with {template.key.bits} bits is not certified, but {wanted}")]
