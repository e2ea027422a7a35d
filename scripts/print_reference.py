"""Prints the pages of docs/reference from the code that they describe: python scripts/print_reference.py

A test compares the pages with what this would print.
"""

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path

import click

from certwright.domain.errors import CertwrightError
from certwright.formats.definition_schema import print_templates_schema, print_world_schema
from certwright.wire.cli import COMMANDS, main
from certwright.wire.cli.settings import list_reference_lines
from certwright.wire.rest.app import ROUTES
from certwright.wire.rest.errors import STATUS_OF
from certwright.wire.rest.faults import WireFault
from certwright.wire.rest.folding import ROOT

PAGES = Path(__file__).parent.parent / "docs" / "reference"
NOTE = "<!-- Printed from the code by scripts/print_reference.py; change it there. -->"
HELP_WIDTH = 110


_EXIT_STATUSES = (
    "Exit status: 0 done, 1 refused or not available, 2 a wrong command line. `certwright audit verify` ends with 3 when it",
    "found no fault, and no copy of the checkpoints from elsewhere was compared.",
)
_LONG_LISTS = (
    "",
    "`GET /v1.0/requests` is one JSON array, however long: it is read and sent in slices of 100 requests, each as of its",
    "moment, without a `Content-Length` where there is more than one slice; what breaks off on the way closes the",
    "connection before the end of the array, and nothing more is read for a client that has left. With `limit` (1 to",
    "100) it answers a page: those of the next `limit` requests that the caller may read, and, except on the last page,",
    'a `Link` header with `rel="next"` (RFC 8288), which goes on with `after`, the GUID of a request. A page may have',
    "fewer requests than `limit`, or none (204), and still a next one.",
)


def list_pages() -> dict[str, str]:
    """Return each page's file name and text."""
    pages = {
        "settings.md": list_reference_lines(),
        "command-line.md": _list_command_lines(),
        "rest-api.md": _list_route_lines(),
        "errors.md": _list_error_lines(),
    }
    printed = {name: "\n".join([NOTE, "", *lines]) + "\n" for name, lines in pages.items()}
    schemas = {"world.schema.json": print_world_schema(), "templates.schema.json": print_templates_schema()}
    return printed | {name: json.dumps(schema, indent=2) + "\n" for name, schema in schemas.items()}


def _list_command_lines() -> Iterator[str]:
    yield from ("# Command line", "", *_EXIT_STATUSES)
    settings = {**main.context_settings, "terminal_width": HELP_WIDTH, "max_content_width": HELP_WIDTH}
    root = click.Context(main, info_name="certwright", **settings)
    yield from _list_help_lines(main, root)
    for name in COMMANDS:
        command = main.get_command(root, name)
        if command is not None:
            yield from _list_help_lines(command, click.Context(command, root, name, terminal_width=HELP_WIDTH))


def _list_help_lines(command: click.Command, context: click.Context) -> Iterator[str]:
    context.max_content_width = HELP_WIDTH
    yield from ("", f"## {context.command_path}", "", "```text", *command.get_help(context).splitlines(), "```")
    if isinstance(command, click.Group) and command is not main:
        for name, below in command.commands.items():
            yield from _list_help_lines(below, click.Context(below, context, name, terminal_width=HELP_WIDTH))


def _list_route_lines() -> Iterator[str]:
    yield from ("# REST API", "")
    yield "The REST API v1.0 of Microsoft Identity Manager 2016 Certificate Management, as far as it is served today. Sign in"
    yield "with HTTP Basic. Paths, query names and property names are read in any case; identifiers with or without braces; a"
    yield "trailing slash is taken. A list with nothing in it is a 204. What is refused, and how, is in [errors.md](errors.md)."
    yield from _LONG_LISTS
    yield from ("", f"All paths are under `{ROOT}/api`; clients write it `/CertificateManagement/api`.", "")
    yield from ("| Call | What it does |", "|---|---|")
    for route in ROUTES:
        path = re.sub(r"\{(\w+):str\}", r"{\1}", route.path)
        yield f"| `{route.method} /{route.version}{path}` | {_first_sentence(route.work)} |"


def _list_error_lines() -> Iterator[str]:
    yield from ("# Errors", "")
    yield "What the REST API says no with: an object of `Message`, `ErrorCode`, `CorrelationId` and, where it helps, `Errors`;"
    yield "the command line prints code and message. Codes never change. The API answers every 500 with `internal-error` and"
    yield "nothing of its cause: the server's log has it, under the correlation identifier, with the code that the table shows."
    yield "What is wrong with one certificate of an answer is its `Error`, an object of `Message`, `ErrorCode` and, where it"
    yield "helps, `Errors`; the certificates beside it are issued all the same."
    yield from ("", "| Code | HTTP | Message | When |", "|---|---|---|---|")
    leaves = {each.code: (STATUS_OF[each], _plain(each.sentence), _first_sentence(each)) for each in STATUS_OF}
    faults = {each.code: (each.status, each.text, each.when) for each in WireFault}
    for code, (status, message, when) in sorted((leaves | faults).items()):
        yield f"| `{code}` | {status} | {_escape(message)} | {_escape(when)} |"


def _first_sentence(described: type[CertwrightError] | object) -> str:
    text = " ".join((inspect.getdoc(described) or "").split())
    return re.split(r"(?<=\.) |Source:", text)[0].strip()


def _plain(sentence: str) -> str:
    """Return the sentence with its fields, without how they are formatted."""
    return re.sub(r"\{(\w+)[^}]*\}", r"{\1}", sentence)


def _escape(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    for file_name, page in list_pages().items():
        (PAGES / file_name).write_text(page, "utf-8")
