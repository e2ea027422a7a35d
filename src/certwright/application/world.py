"""Everything outside that use cases need, in one place."""

from dataclasses import dataclass
from uuid import UUID

from certwright.domain.card_ports import CardKeys
from certwright.domain.data_items import Patterns
from certwright.domain.history_ports import CheckpointSink
from certwright.domain.identifiers import make_identifier
from certwright.domain.key_ports import KeyMaker, KeySafe
from certwright.domain.password_ports import OwnPasswords
from certwright.domain.pfx import PfxRules
from certwright.domain.ports import CertificationAuthority, Clock, Crew, Entropy, Store
from certwright.domain.rules.account_passwords import PasswordPolicy

OPEN_REQUESTS_LIMIT = 100


@dataclass(frozen=True, slots=True)
class World:
    """Made by `bootstrap`; handed to every use case.

    Shape: *workshop* does what always takes long: making keys, protecting PFX files. *allows_combined_roles* is for sites with
    too few people; *open_requests_limit* is for one person, one template and one target; *sends_mail* says that there is a mail
    server to send by; *checkpoints* is where seals are told of outside of the store.
    """

    store: Store
    authority: CertificationAuthority
    clock: Clock
    entropy: Entropy
    workshop: Crew
    key_maker: KeyMaker
    safe: KeySafe
    card_keys: CardKeys
    patterns: Patterns
    own_passwords: OwnPasswords
    pfx: PfxRules = PfxRules()
    passwords: PasswordPolicy = PasswordPolicy()
    allows_combined_roles: bool = False
    open_requests_limit: int = OPEN_REQUESTS_LIMIT
    sends_mail: bool = False
    checkpoints: tuple[CheckpointSink, ...] = ()

    def make_identifier(self) -> UUID:
        """Return a new identifier for what is made now, see `identifiers.make_identifier`."""
        return make_identifier(self.clock.now(), self.entropy)
