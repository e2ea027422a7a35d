"""One transaction's view of the store."""

from collections.abc import Sequence
from functools import cached_property

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
from certwright.domain.events import Event
from certwright.domain.ports import EventListener
from certwright.domain.ports_at_rest import Cipher


class SqlSession:
    """The repositories of one transaction, made when they are asked for: most use cases want three or four of them."""

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
        self._connection = connection
        self._memory = memory
        self._order = order
        self._cipher = cipher
        self._listener = listener
        self._marker = marker
        self._ledger = RowLedger(row_key)

    def finish(self) -> None:
        """Let the history tell of every change that no event told of; asked before the session's changes are kept."""
        if self._ledger.has_notes:
            self.history.tell_of_rows()

    def _tell(self, appended: Sequence[Event]) -> None:
        if self._listener is not None:
            self._listener.hear(appended, self)

    @cached_property
    def state(self) -> SqlState:
        """Return what proves everything but the history."""
        return SqlState(self._connection, self._ledger)

    @cached_property
    def directory(self) -> SqlDirectory:
        """Return users, groups and rights."""
        return SqlDirectory(self._connection, self._memory, self._ledger)

    @cached_property
    def templates(self) -> SqlProfileTemplates:
        """Return the versions of profile templates."""
        return SqlProfileTemplates(self._connection, self._memory, self._ledger)

    @cached_property
    def requests(self) -> SqlRequests:
        """Return the requests."""
        return SqlRequests(self._connection, self._cipher, self._ledger)

    @cached_property
    def profiles(self) -> SqlProfiles:
        """Return the profiles."""
        return SqlProfiles(self._connection, self._ledger)

    @cached_property
    def passwords(self) -> SqlPasswords:
        """Return the one-time passwords of requests."""
        return SqlPasswords(self._connection, self._cipher, self._ledger)

    @cached_property
    def renewals(self) -> SqlRenewals:
        """Return the renewals that the program began."""
        return SqlRenewals(self._connection)

    @cached_property
    def delayed_revocations(self) -> SqlDelayedRevocations:
        """Return the revocations that are still to take effect."""
        return SqlDelayedRevocations(self._connection, self._ledger)

    @cached_property
    def smartcards(self) -> SqlSmartcards:
        """Return the cards."""
        return SqlSmartcards(self._connection, self._ledger)

    @cached_property
    def card_master_keys(self) -> SqlCardMasterKeys:
        """Return the sealed master keys of cards."""
        return SqlCardMasterKeys(self._connection)

    @cached_property
    def certificates(self) -> SqlCertificates:
        """Return the register of certificates."""
        return SqlCertificates(self._connection, self._ledger)

    @cached_property
    def history(self) -> SqlHistory:
        """Return events and seals."""
        return SqlHistory(self._connection, self._order, self._tell, self._marker, self._ledger)

    @cached_property
    def retention(self) -> SqlRetention:
        """Return what may be removed from the history, and what was."""
        return SqlRetention(self._connection, self._ledger)

    @cached_property
    def keys(self) -> SqlKeys:
        """Return sealed keys and authorities."""
        return SqlKeys(self._connection, self._ledger)

    @cached_property
    def leases(self) -> SqlLeases:
        """Return who does which work."""
        return SqlLeases(self._connection)

    @cached_property
    def outbox(self) -> SqlOutbox:
        """Return what is to be sent."""
        return SqlOutbox(self._connection, self._cipher)

    @cached_property
    def archive(self) -> SqlArchive:
        """Return archived keys and their agents."""
        return SqlArchive(self._connection, self._ledger)

    @cached_property
    def external(self) -> SqlExternalCertificates:
        """Return certificates that were issued elsewhere."""
        return SqlExternalCertificates(self._connection, self._ledger)

    @cached_property
    def sealed(self) -> SqlSealedRows:
        """Return everything that is sealed."""
        return SqlSealedRows(self._connection)

    @cached_property
    def key_pool(self) -> SqlKeyPool:
        """Return keys made ahead."""
        return SqlKeyPool(self._connection)
