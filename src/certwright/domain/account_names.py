"""The ways in which people write whose account they mean."""

from unicodedata import normalize

from certwright.domain.directory_ports import Directory
from certwright.domain.identities import Principal


def find_named(name: str, directory: Directory) -> Principal | None:
    """Return whom ``account``, ``DOMAIN\\account`` or ``user@principal.name`` names, in any case.

    Shape: accents may be characters of their own, as some systems type them; definitions are read with letters that have
    theirs, and people of an older version are found as they were written.
    """
    composed = name if name.isascii() else normalize("NFC", name)
    return _find_spelled(composed, directory) or (_find_spelled(name, directory) if composed != name else None)


def _find_spelled(name: str, directory: Directory) -> Principal | None:
    domain, backslash, account = name.partition("\\")
    if backslash:
        return directory.find_account(domain, account)
    if "@" in name:
        return directory.find_principal_name(name)
    return directory.find_account("", name)


def fold_account_name(name: str) -> str:
    """Return what all spellings of one name have in common, whether anybody has it: the account, in lower case.

    Shape: ``account``, ``DOMAIN\\account`` and ``account@domain`` are one. What is counted under it says nothing about which
    names there are: those that exist are counted as those that do not.
    """
    account = name.partition("\\")[2] or name
    account = account.rpartition("@")[0] or account
    return normalize("NFKC", account).casefold()
