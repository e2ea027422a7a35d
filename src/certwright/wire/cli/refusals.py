"""How a command says no: in sentences for people, and with --json as an object for programs. On stderr, either way."""

import errno
import json

import click

from certwright.client.errors import ClientError, ServerRefused
from certwright.domain.errors import CertwrightError, RulesBroken

_AS_JSON = "certwright.as_json"


class CommandRefused(click.ClickException):
    """What the domain, the server or the system said no to. Exit status 1; one line a rule.

    Shape: *refusals* has a code and a sentence for each rule.
    """

    exit_code = 1

    def __init__(self, refusals: list[tuple[str, str]], notes: list[str], *, as_json: bool, correlation_id: str = "") -> None:
        lines = [f"{code}: {text}" for code, text in refusals]
        super().__init__("\n       ".join([*lines, *notes]))
        self._body = {
            "error": {
                "code": refusals[0][0],
                "message": " ".join([*(text for _, text in refusals), *notes]),
                "errors": [{"code": code, "message": text} for code, text in refusals],
            }
            | ({"correlation_id": correlation_id} if correlation_id else {})
        }
        self._as_json = as_json

    def show(self, file: object = None) -> None:  # noqa: ARG002 (click calls it so)
        """Print it."""
        click.echo(json.dumps(self._body) if self._as_json else f"Error: {self.message}", err=True)


def note_json(ctx: click.Context, _: click.Parameter, value: bool) -> bool:
    """Remember for the command that runs whether it was asked for JSON."""
    ctx.meta[_AS_JSON] = value
    return value


_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def refuse(error: CertwrightError | ClientError | OSError, ctx: click.Context) -> CommandRefused:
    """Return what to raise instead of *error*."""
    as_json = bool(ctx.meta.get(_AS_JSON))
    notes = [str(each) for each in getattr(error, "__notes__", ())]
    if isinstance(error, RulesBroken):
        return CommandRefused([(each.code, each.text) for each in error.broken], notes, as_json=as_json)
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        cure = "; make room on the disk and run the command again" if error.errno in _NO_ROOM else ""
        return CommandRefused([("system", f"{place}{error.strerror or error}{cure}")], notes, as_json=as_json)
    correlation_id = error.correlation_id if isinstance(error, ServerRefused) else ""
    return CommandRefused([(error.code, error.text)], notes, as_json=as_json, correlation_id=correlation_id)
