"""Give a local account a password: an administrator any account, users their own."""

from certwright.application.trustees import get_user
from certwright.application.world import World
from certwright.domain.errors import ChangedMeanwhile, MalformedValue, check_none_broken
from certwright.domain.events import EventType, tell, tell_of_operator
from certwright.domain.identities import Caller
from certwright.domain.password_ports import PasswordHasher
from certwright.domain.rules.account_passwords import list_password_faults


def set_password(account: str, password: str, *, operator: str, world: World, hasher: PasswordHasher) -> None:
    """Set the password of ``account``, ``DOMAIN\\account`` or ``name@domain``; what was remembered of the old one is void.

    Errors: UserNotFound; MalformedValue, PasswordTooShort, PasswordGuessable, or RulesBroken with all that is wrong with it.
    """
    with world.store.reading() as session:
        user = get_user(account, session)
    check_none_broken([*list_password_faults(password, user, world.passwords)])
    # The slow hash is made before the transaction, which others wait for.
    password_hash = hasher.hash(password)
    with world.store.writing() as session:
        session.directory.save_password_hash(user.id, password_hash)
        now = world.clock.now()
        session.history.append(
            [tell_of_operator(EventType.PASSWORD_SET, operator, now, subject_id=user.id, account=user.nt4_name)]
        )


def change_own_password(current: str, new: str, *, by: Caller, world: World) -> None:
    """Replace the caller's password; it counts at the next call.

    Errors: CurrentPasswordWrong, whose failures count as those of signing in; SignInThrottled; for the new one those of
            `set_password`; ChangedMeanwhile when another password was set at the same moment.
    """
    faults = [*list_password_faults(new, by.user, world.passwords)]
    if new == current:
        faults.append(MalformedValue("newpassword", "it is the current one"))
    check_none_broken(faults)
    # Two slow hashes, and others have their turn meanwhile.
    (hashes,) = world.workshop.each(lambda caller: world.own_passwords.exchange(caller, current, new), [by])
    with world.store.writing() as session:
        if session.directory.find_password_hash(by.user.id) != hashes.current:
            raise ChangedMeanwhile("password")
        session.directory.save_password_hash(by.user.id, hashes.new)
        now = world.clock.now()
        session.history.append([tell(EventType.PASSWORD_SET, by, now, subject_id=by.user.id, account=by.user.nt4_name)])
