"""The program itself, as one who acts: it opens requests, ends them, and lets happen what was put off."""

from uuid import UUID

from certwright.domain.events import PROGRAM
from certwright.domain.identities import Caller, User, UserId
from certwright.domain.security_descriptors import SERVICE_SID

PROGRAM_ID = UserId(UUID("3d6a4f0b-7c1e-4f52-8a0d-5b9f6f1c2e18"))
"""Under this identifier clients see the program as originator; no directory has it."""

THE_PROGRAM = Caller(
    User(
        id=PROGRAM_ID,
        sid=SERVICE_SID,
        domain="",
        account_name=PROGRAM,
        principal_name="",
        display_name="Certwright",
        distinguished_name="",
    ),
    frozenset({SERVICE_SID}),
    "program",
)
"""The one caller who is known by being this object: nobody signs in as it, whatever a directory says."""
