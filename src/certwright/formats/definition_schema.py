"""The JSON Schemas of definition files, for editors that complete, explain and check while one types."""

from typing import Any

import msgspec

from certwright.formats.definition_explanations import EXPLANATIONS
from certwright.formats.definition_tables import TemplatesTable, WorldTable


def print_world_schema() -> dict[str, Any]:
    """Return the schema of world files. Source: JSON Schema 2020-12, as msgspec prints it from the tables themselves."""
    return _print_schema(WorldTable, "World file of Certwright")


def print_templates_schema() -> dict[str, Any]:
    """Return the schema of files of templates alone. Source: as `print_world_schema`."""
    return _print_schema(TemplatesTable, "Templates file of Certwright")


def _print_schema(table: type[msgspec.Struct], title: str) -> dict[str, Any]:
    schema = msgspec.json.schema(table)
    for name, described in schema["$defs"].items():
        for key, value in described.get("properties", {}).items():
            value["description"] = EXPLANATIONS[name][key]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **schema}
