"""The certificate request and the answer that the REST API's reference prints."""

import base64
import json

from worlds.contoso import VECTORS

_EXAMPLE = next(
    each
    for each in json.loads((VECTORS / "rest_examples.json").read_text())
    if "certificaterequests" in (each["request"] or {})
)
DOCUMENTED_REQUEST: str = _EXAMPLE["request"]["certificaterequests"][0]
"""Base64 in lines with CRLF; RSA-2048, signed with SHA-1, empty subject. Its key has the fingerprint of ROCA."""
DOCUMENTED_RESPONSE = base64.b64decode(_EXAMPLE["response"][0]["Pkcs7"])
"""A CMC Full PKI Response, DER."""
