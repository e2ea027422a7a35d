"""The ways in which people write whose account they mean."""

from certwright.domain.directory_ports import Directory
from certwright.domain.identities import Principal


def find_named(name: str, directory: Directory) -> Principal | None:
    """Return whom ``account``, ``DOMAIN\\account`` or ``user@principal.name`` names, in any case."""
    domain, backslash, account = name.partition("\\")
    if backslash:
        return directory.find_account(domain, account)
    if "@" in name:
        return directory.find_principal_name(name)
    return directory.find_account("", name)
