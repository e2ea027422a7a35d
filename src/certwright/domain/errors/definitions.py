"""What an administrator defines, and may not."""

from dataclasses import dataclass

from certwright.domain.errors.tree import Refused


@dataclass(eq=False)
class DefinitionInvalid(Refused):
    """A template, a world file or a setting breaks a rule; *where* is its dotted path."""

    code = "definition-invalid"
    sentence = "{where}: {detail}."
    where: str
    detail: str


@dataclass(eq=False)
class EscalationPath(Refused):
    """A template or right through which somebody could become somebody else, or speak for the authority. Source: the names ESC1
    to ESC16 are those of the Certified Pre-Owned paper and its successors."""

    code = "escalation-path"
    sentence = "{where}: {detail} ({path})."
    where: str
    path: str
    detail: str


@dataclass(eq=False)
class RolesCombined(Refused):
    """One person would hold two roles that are kept apart."""

    code = "roles-combined"
    sentence = "{account} would be {role} ({role_from}) and {other} ({other_from}): these roles are for different people."
    account: str
    role: str
    role_from: str
    other: str
    other_from: str
