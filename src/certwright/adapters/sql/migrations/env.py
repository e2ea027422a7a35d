"""Run by Alembic; `schema.migrate` gives it a connection with an open transaction."""

from alembic import context

from certwright.adapters.sql.store import VERSION_TABLE
from certwright.adapters.sql.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    # Alembic leaves a transaction alone that is open already, provided that it takes the database to be capable of it.
    transactional_ddl=True,
)
context.run_migrations()
