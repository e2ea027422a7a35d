"""Extended key usages whose holder speaks for a certification authority, or for everybody.

The authority issues such certificates for itself, by its own code; no template does.

Source: the names in Microsoft's wincrypt.h (``szOID_...``) and in IANA's registry "SMI Security for PKIX Extended Key Purpose".
"""

from collections.abc import Mapping

RESERVED_USAGES: Mapping[str, str] = {
    "1.3.6.1.5.5.7.3.8": "time stamping",
    "1.3.6.1.5.5.7.3.9": "OCSP signing",
    "1.3.6.1.5.5.7.3.15": "validation of certificates for others (SCVP server)",
    "1.3.6.1.5.5.7.3.27": "certification authority over CMC",
    "1.3.6.1.5.5.7.3.28": "registration authority over CMC",
    "1.3.6.1.5.5.7.3.29": "archive server over CMC",
    "1.3.6.1.5.5.7.3.32": "making of keys for others (CMP)",
    "1.3.6.1.5.2.3.5": "KDC authentication",
    "1.3.6.1.4.1.311.10.3.1": "signing of certificate trust lists",
    "1.3.6.1.4.1.311.10.3.2": "time stamping (Microsoft)",
    "1.3.6.1.4.1.311.10.3.4.1": "EFS recovery",
    "1.3.6.1.4.1.311.10.3.5": "signing of drivers (WHQL)",
    "1.3.6.1.4.1.311.10.3.6": "signing of system components",
    "1.3.6.1.4.1.311.10.3.7": "signing of system components by manufacturers",
    "1.3.6.1.4.1.311.10.3.8": "signing of embedded system components",
    "1.3.6.1.4.1.311.10.3.9": "signing of lists of root certificates",
    "1.3.6.1.4.1.311.10.3.10": "qualified subordination",
    "1.3.6.1.4.1.311.10.3.11": "key recovery",
    "1.3.6.1.4.1.311.20.1": "signing of trust lists for automatic enrollment",
    "1.3.6.1.4.1.311.21.5": "exchange of keys with the certification authority (CA exchange)",
    "1.3.6.1.4.1.311.21.6": "key recovery agent",
    "1.3.6.1.4.1.311.21.19": "replication of the directory by mail",
    "1.3.6.1.4.1.311.21.36": "attestation of keys (privacy CA)",
    "1.3.6.1.4.1.11129.2.4.4": "signing of precertificates",
}
"""What each is for, by its identifier."""
