"""One transaction's view of the store."""

from certwright.adapters.sql.archive import SqlArchive
from certwright.adapters.sql.card_master_keys import SqlCardMasterKeys
from certwright.adapters.sql.certificates import SqlCertificates
from certwright.adapters.sql.delayed_revocations import SqlDelayedRevocations
from certwright.adapters.sql.directory import SqlDirectory
from certwright.adapters.sql.event_marks import EventMarker
from certwright.adapters.sql.external_certificates import SqlExternalCertificates
from certwright.adapters.sql.history import CommitOrder, SqlHistory
from certwright.adapters.sql.key_pool import SqlKeyPool
from certwright.adapters.sql.keys import SqlKeys
from certwright.adapters.sql.leases import SqlLeases
from certwright.adapters.sql.memory import Memory
from certwright.adapters.sql.outbox import SqlOutbox
from certwright.adapters.sql.passwords import SqlPasswords
from certwright.adapters.sql.prepared import Connection
from certwright.adapters.sql.profile_templates import SqlProfileTemplates
from certwright.adapters.sql.profiles import SqlProfiles
from certwright.adapters.sql.renewals import SqlRenewals
from certwright.adapters.sql.requests import SqlRequests
from certwright.adapters.sql.retention import SqlRetention
from certwright.adapters.sql.row_marks import RowLedger
from certwright.adapters.sql.sealed_rows import SqlSealedRows
from certwright.adapters.sql.smartcards import SqlSmartcards
from certwright.adapters.sql.state import SqlState
from certwright.domain.ports import EventListener
from certwright.domain.ports_at_rest import Cipher


class SqlSession:
    """The repositories of one transaction."""

    def __init__(
        self,
        connection: Connection,
        memory: Memory,
        order: CommitOrder,
        cipher: Cipher | None = None,
        listener: EventListener | None = None,
        *,
        marker: EventMarker | None = None,
        row_key: bytes | None = None,
    ) -> None:
        ledger = RowLedger(row_key)
        tell = None if listener is None else lambda events: listener.hear(events, self)
        self._directory = SqlDirectory(connection, memory, ledger)
        self._templates = SqlProfileTemplates(connection, memory, ledger)
        self._requests = SqlRequests(connection, cipher, ledger)
        self._profiles = SqlProfiles(connection, ledger)
        self._passwords = SqlPasswords(connection, cipher, ledger)
        self._renewals = SqlRenewals(connection)
        self._delayed_revocations = SqlDelayedRevocations(connection, ledger)
        self._smartcards = SqlSmartcards(connection, ledger)
        self._card_master_keys = SqlCardMasterKeys(connection)
        self._certificates = SqlCertificates(connection, ledger)
        self._history = SqlHistory(connection, order, tell, marker, ledger)
        self._retention = SqlRetention(connection, ledger)
        self._keys = SqlKeys(connection, ledger)
        self._archive = SqlArchive(connection, ledger)
        self._external = SqlExternalCertificates(connection, ledger)
        self._leases = SqlLeases(connection)
        self._outbox = SqlOutbox(connection, cipher)
        self._sealed = SqlSealedRows(connection)
        self._key_pool = SqlKeyPool(connection)
        self._state = SqlState(connection, ledger)

    def finish(self) -> None:
        """Let the history tell of every change that no event told of; asked before the session's changes are kept."""
        self._history.tell_of_rows()

    @property
    def state(self) -> SqlState:
        """Return what proves everything but the history."""
        return self._state

    @property
    def directory(self) -> SqlDirectory:
        """Return users, groups and rights."""
        return self._directory

    @property
    def templates(self) -> SqlProfileTemplates:
        """Return the versions of profile templates."""
        return self._templates

    @property
    def requests(self) -> SqlRequests:
        """Return the requests."""
        return self._requests

    @property
    def profiles(self) -> SqlProfiles:
        """Return the profiles."""
        return self._profiles

    @property
    def passwords(self) -> SqlPasswords:
        """Return the one-time passwords of requests."""
        return self._passwords

    @property
    def renewals(self) -> SqlRenewals:
        """Return the renewals that the program began."""
        return self._renewals

    @property
    def delayed_revocations(self) -> SqlDelayedRevocations:
        """Return the revocations that are still to take effect."""
        return self._delayed_revocations

    @property
    def smartcards(self) -> SqlSmartcards:
        """Return the cards."""
        return self._smartcards

    @property
    def card_master_keys(self) -> SqlCardMasterKeys:
        """Return the sealed master keys of cards."""
        return self._card_master_keys

    @property
    def certificates(self) -> SqlCertificates:
        """Return the register of certificates."""
        return self._certificates

    @property
    def history(self) -> SqlHistory:
        """Return events and seals."""
        return self._history

    @property
    def retention(self) -> SqlRetention:
        """Return what may be removed from the history, and what was."""
        return self._retention

    @property
    def keys(self) -> SqlKeys:
        """Return sealed keys and authorities."""
        return self._keys

    @property
    def leases(self) -> SqlLeases:
        """Return who does which work."""
        return self._leases

    @property
    def outbox(self) -> SqlOutbox:
        """Return what is to be sent."""
        return self._outbox

    @property
    def archive(self) -> SqlArchive:
        """Return archived keys and their agents."""
        return self._archive

    @property
    def external(self) -> SqlExternalCertificates:
        """Return certificates that were issued elsewhere."""
        return self._external

    @property
    def sealed(self) -> SqlSealedRows:
        """Return everything that is sealed."""
        return self._sealed

    @property
    def key_pool(self) -> SqlKeyPool:
        """Return keys made ahead."""
        return self._key_pool
