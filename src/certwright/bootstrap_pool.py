"""How keys are made ahead: sizes from the settings, who takes them, who fills up."""

from datetime import timedelta
from functools import partial

from certwright.adapters.keys.pool import IdleKeyMaker, PooledKeyMaker
from certwright.adapters.keys.software import SoftwareKeyMaker
from certwright.application.due_work import Job
from certwright.application.fill_key_pool import list_missing_keys
from certwright.application.world import World
from certwright.domain.key_ports import KeyMaker, KeySafe, name_pool_kind
from certwright.domain.ports import Store
from certwright.domain.profile_templates import KeySpecification
from certwright.domain.public_keys import KeyAlgorithm
from certwright.settings import Settings

FILL_INTERVAL = timedelta(seconds=5)


def make_key_maker(settings: Settings, store: Store, safe: KeySafe) -> KeyMaker:
    """Return where keys for people come from: the pool, for kinds that have one, and else they are made."""
    return PooledKeyMaker(store, safe, SoftwareKeyMaker(), frozenset(map(name_pool_kind, list_pool_sizes(settings))))


def make_pool_job(settings: Settings, world: World) -> Job:
    """Return the job that keeps the pool full."""
    sizes, maker = list_pool_sizes(settings), IdleKeyMaker(SoftwareKeyMaker())
    return Job(
        name="fill-key-pool",
        purpose="make keys ahead for people whose keys the server makes",
        interval=FILL_INTERVAL,
        list_due=partial(list_missing_keys, sizes=sizes, maker=maker, world=world),
    )


def list_pool_sizes(settings: Settings) -> dict[KeySpecification, int]:
    """Return how many keys of which kind are made ahead; keys of curves are made in no time."""
    keys = settings.keys
    sizes = {2048: keys.pool_rsa_2048, 3072: keys.pool_rsa_3072, 4096: keys.pool_rsa_4096}
    return {KeySpecification(algorithm=KeyAlgorithm.RSA, bits=bits): size for bits, size in sizes.items() if size}
