"""Give a local account a password."""

from certwright.application.world import World
from certwright.domain.account_names import find_named
from certwright.domain.errors import MalformedValue, UserNotFound
from certwright.domain.events import EventType, tell_of_operator
from certwright.domain.password_ports import PasswordHasher

PASSWORD_LIMIT_CHARACTERS = 1_000


def set_password(account: str, password: str, *, operator: str, world: World, hasher: PasswordHasher) -> None:
    """Set the password of ``account``, ``DOMAIN\\account`` or ``name@domain``; what was remembered of the old one is void.

    Errors: UserNotFound; MalformedValue for a password that nobody could type into a form or a header.
    """
    _check_password(password)
    # The slow hash is made before the transaction, so that nobody waits for it.
    password_hash = hasher.hash(password)
    with world.store.writing() as session:
        found = find_named(account, session.directory)
        if found is None:
            raise UserNotFound(account)
        session.directory.save_password_hash(found.user.id, password_hash)
        now = world.clock.now()
        session.history.append(
            [tell_of_operator(EventType.PASSWORD_SET, operator, now, subject_id=found.user.id, account=found.user.nt4_name)]
        )


def _check_password(password: str) -> None:
    if not password:
        raise MalformedValue("password", "it must not be empty")
    if len(password) > PASSWORD_LIMIT_CHARACTERS:
        raise MalformedValue("password", f"at most {PASSWORD_LIMIT_CHARACTERS} characters are taken")
    if not password.isprintable():
        raise MalformedValue("password", "control characters and line ends are not taken")
