"""Everything that happens by itself."""

from datetime import timedelta
from functools import partial

from certwright.application.close_request import list_stale_requests
from certwright.application.delayed_revocations import list_due_revocations
from certwright.application.due_work import Job
from certwright.application.one_time_passwords import list_expired_passwords
from certwright.application.open_renewals import RenewalsInTurn, list_due_renewals
from certwright.application.remind_of_external import list_ending_external
from certwright.application.seal_history import list_unsealed_events
from certwright.application.world import World
from certwright.domain.history_ports import SealingKey
from certwright.formats.quantities import encode_duration


def list_jobs(
    world: World, *, sealing_key: SealingKey, sealing_interval: timedelta, interval: timedelta, stale_after: timedelta
) -> tuple[Job, ...]:
    """Return all jobs. Shape: *stale_after* of 0 lets open requests rest for ever."""
    return (
        Job(
            name="seal-history",
            purpose="chain and sign new events",
            interval=sealing_interval,
            list_due=lambda _: list_unsealed_events(world=world, key=sealing_key),
            runs_at_end=True,
        ),
        Job(
            name="open-renewals",
            purpose="open Renew requests when a renewal period begins",
            interval=interval,
            list_due=partial(list_due_renewals, world=world),
            list_in_turn=RenewalsInTurn(world).list_due,
        ),
        Job(
            name="remind-of-external",
            purpose="remind people of certificates from elsewhere that end",
            interval=interval,
            list_due=partial(list_ending_external, world=world),
        ),
        Job(
            name="revoke-delayed",
            purpose="let revocations take effect that were put off",
            interval=interval,
            list_due=partial(list_due_revocations, world=world),
        ),
        Job(
            name="expire-one-time-passwords",
            purpose="tell which one-time passwords have expired",
            interval=interval,
            list_due=partial(list_expired_passwords, world=world),
        ),
        Job(
            name="cancel-stale-requests",
            purpose=f"cancel open requests that have rested for {encode_duration(stale_after)}",
            interval=interval,
            list_due=lambda limit: list_stale_requests(limit, stale_after, world=world),
        ),
    )
