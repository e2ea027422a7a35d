"""The ways in which people write who they are."""

from certwright.domain.identities import Principal
from certwright.domain.ports import Directory

SHOWN_CHARACTERS = 64


def find_named(name: str, directory: Directory) -> Principal | None:
    """Return whom ``account``, ``DOMAIN\\account`` or ``user@principal.name`` names, in any case."""
    domain, backslash, account = name.partition("\\")
    if backslash:
        return directory.find_account(domain, account)
    if "@" in name:
        return directory.find_principal_name(name)
    return directory.find_account("", name)


def format_for_display(name: str) -> str:
    """Return *name* as it may be shown to auditors: what cannot be printed becomes ``?``, what is too long is cut."""
    printable = "".join(each if each.isprintable() else "?" for each in name[: SHOWN_CHARACTERS + 1])
    return printable if len(printable) <= SHOWN_CHARACTERS else printable[:SHOWN_CHARACTERS] + "…"
