"""Versions of profile templates, each a document that is written once and remembered for good."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import bindparam, delete, func, select

from certwright.adapters.sql.marked_rows import TEMPLATES, WITHDRAWALS
from certwright.adapters.sql.memory import Memory
from certwright.adapters.sql.prepared import Connection, Row
from certwright.adapters.sql.row_marks import RowLedger
from certwright.adapters.sql.tables import profile_templates, withdrawn_templates
from certwright.adapters.sql.upserts import insert_unless_taken
from certwright.domain.errors import ChangedMeanwhile, ProfileTemplateNotFound
from certwright.domain.profile_templates import ProfileTemplate, ProfileTemplateId

_VERSIONS = profile_templates.c
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(ProfileTemplate)

_IS_OFFERED = _VERSIONS.id.not_in(select(withdrawn_templates.c.template_id))
_NEWEST_VERSION = select(func.max(_VERSIONS.version)).where(_VERSIONS.id == bindparam("template_id"), _IS_OFFERED)
_NEWEST_VERSIONS = select(_VERSIONS.id, func.max(_VERSIONS.version).label("version")).where(_IS_OFFERED).group_by(_VERSIONS.id)
_ALL_VERSIONS = select(_VERSIONS.id, _VERSIONS.version).order_by(_VERSIONS.id, _VERSIONS.version)
_DOCUMENT = select(_VERSIONS.id, _VERSIONS.version, _VERSIONS.name, _VERSIONS.document, _VERSIONS.mark).where(
    _VERSIONS.id == bindparam("template_id"), _VERSIONS.version == bindparam("template_version")
)
_ADD = insert_unless_taken(profile_templates)
_WITHDRAW = insert_unless_taken(withdrawn_templates)
_BRING_BACK = delete(withdrawn_templates).where(withdrawn_templates.c.template_id == bindparam("template_id"))


class SqlProfileTemplates:
    """Profile templates. Shape: the document is the JSON of the domain's own classes, kinds of request by number."""

    def __init__(self, connection: Connection, memory: Memory, ledger: RowLedger) -> None:
        self._connection = connection
        self._ledger = ledger
        self._known = memory.templates

    def get(self, template_id: ProfileTemplateId, version: int | None = None) -> ProfileTemplate:
        """Return the version, or the newest. Errors: ProfileTemplateNotFound."""
        wanted = self._find_newest_version(template_id) if version is None else version
        template = None if wanted is None else self._find(template_id, wanted)
        if template is None:
            raise ProfileTemplateNotFound(template_id)
        return template

    def list_newest(self) -> tuple[ProfileTemplate, ...]:
        """Return the newest version of each template, ordered by name."""
        newest: list[Row] = list(self._connection.execute(_NEWEST_VERSIONS))
        found = [self.get(row.id, row.version) for row in newest]
        return tuple(sorted(found, key=lambda each: (each.name.casefold(), each.name, each.id)))

    def list_versions(self) -> tuple[ProfileTemplate, ...]:
        """Return every version of every template; each document is read once in a process's life."""
        return tuple(self.get(row.id, row.version) for row in list(self._connection.execute(_ALL_VERSIONS)))

    def save(self, template: ProfileTemplate) -> ProfileTemplate:
        """Store *template* as a new version unless it equals the newest; return what is now the newest.

        Errors: ChangedMeanwhile when another session saved a version of it at the same moment.
        """
        if self._connection.execute(_BRING_BACK, {"template_id": template.id}).rowcount:
            self._ledger.note_removed(WITHDRAWALS, {"template_id": template.id})
        newest = self._find_newest_version(template.id)
        numbered = replace(template, version=1 if newest is None else newest + 1)
        if newest is not None:
            before = self.get(template.id, newest)
            if replace(numbered, version=newest) == before:
                return before
        # What is not committed yet is for this session's eyes only.
        self._known = dict(self._known)
        row: dict[str, Any] = {
            "id": numbered.id,
            "version": numbered.version,
            "name": numbered.name,
            "document": _ENCODER.encode(numbered).decode(),
        }
        row["mark"] = self._ledger.mark(TEMPLATES, row)
        if not _ADD.run(self._connection, [row]):
            raise ChangedMeanwhile("profile template")
        self._ledger.note(TEMPLATES, row)
        return numbered

    def withdraw(self, template_id: ProfileTemplateId) -> None:
        """Take the template away from `list_newest` and from `get` without a version; saving it again brings it back."""
        row: dict[str, Any] = {"template_id": template_id}
        row["mark"] = self._ledger.mark(WITHDRAWALS, row)
        if _WITHDRAW.run(self._connection, [row]):
            self._ledger.note(WITHDRAWALS, row)

    def _find_newest_version(self, template_id: UUID) -> int | None:
        newest: int | None = self._connection.execute(_NEWEST_VERSION, {"template_id": template_id}).scalar()
        return newest

    def _find(self, template_id: ProfileTemplateId, version: int) -> ProfileTemplate | None:
        known = self._known.get((template_id, version))
        if known is not None:
            return known
        values = {"template_id": template_id, "template_version": version}
        row = self._connection.execute(_DOCUMENT, values).first()
        if row is None:
            return None
        self._ledger.check(TEMPLATES, row)
        template = _DECODER.decode(row.document)
        self._known[template_id, version] = template
        return template
