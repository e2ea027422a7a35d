"""The JSON Schema of world files, for editors that complete and check while one types."""

from typing import Any

import msgspec

from certwright.formats.definition_tables import WorldTable


def print_world_schema() -> dict[str, Any]:
    """Return the schema, made from the tables themselves. Source: JSON Schema 2020-12, as msgspec prints it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "World file of Certwright",
        **msgspec.json.schema(WorldTable),
    }
