"""Acting in the name of somebody who proves with his password that it is he."""

from certwright.bootstrap import Installation
from certwright.domain.account_names import find_named
from certwright.domain.errors import CredentialsRejected
from certwright.domain.identities import Caller
from certwright.wire.cli.operators import find_operator


def sign_in(user: str, password: str, installation: Installation) -> Caller:
    """Return the user as a caller. Errors: CredentialsRejected, whatever was wrong."""
    with installation.world.store.reading() as session:
        found = find_named(user, session.directory)
        password_hash = None if found is None else session.directory.find_password_hash(found.user.id)
    if found is None or password_hash is None or not found.user.enabled:
        installation.hasher.burn(password)
        raise CredentialsRejected()
    if not installation.hasher.is_match(password, password_hash):
        raise CredentialsRejected()
    return Caller(found.user, found.sids, f"command line of {find_operator()}")
