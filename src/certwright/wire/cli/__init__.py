"""The command line. Each command is a module of its own, imported only when it is asked for: a start stays fast."""

import importlib
import os
import sys
import warnings
from dataclasses import dataclass
from typing import Any

import click

from certwright import __version__
from certwright.adapters.core_dumps import forbid_core_dumps
from certwright.client.errors import ClientError
from certwright.domain.errors import CertwrightError
from certwright.wire.cli.groups import CommandGroup
from certwright.wire.cli.refusals import refuse


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """Where a command is, and the line that lists it."""

    module: str
    summary: str
    function: str = "command"


COMMANDS = {
    "init": CommandEntry("init", "Make an installation in a folder: authorities, keys, database, settings."),
    "migrate": CommandEntry("migrate", "Bring the database of an older version to this one."),
    "serve": CommandEntry("serve", "Serve an installation over HTTPS until it is told to stop."),
    "work": CommandEntry("work", "Do what is due: in place of a server, once, or only show it."),
    "demo": CommandEntry("demo", "Show everything: install, load people, serve, enroll a certificate."),
    "enroll": CommandEntry("enroll", "Get a certificate from a server: key, request, certificate, chain."),
    "load": CommandEntry("load", "Load people, rights and templates from a world file."),
    "export": CommandEntry("people_editing", "Print people, rights and templates as a file that load reads."),
    "password": CommandEntry("password", "Set the password of a local account, or change your own."),
    "certificates": CommandEntry("external_certificates", "Attach certificates that were issued elsewhere to people."),
    "templates": CommandEntry("templates", "List, show, export, import and compare profile templates."),
    "certificate-templates": CommandEntry("certificate_templates", "List, show, add, change and export certificate templates."),
    "requests": CommandEntry(
        "requests", "List requests, tell the story of one, approve or deny it, hand out its one-time passwords."
    ),
    "card": CommandEntry("cards", "List cards, show one, import and retire them, unblock one over the telephone."),
    "users": CommandEntry("people", "List, add, change and export accounts, switch them on and off.", "users"),
    "groups": CommandEntry("people", "List, create, rename, delete and export groups, add and remove members.", "groups"),
    "rights": CommandEntry("rights", "Give rights, take them away, list and export them."),
    "access": CommandEntry("access", "Explain who may do what, and why."),
    "audit": CommandEntry("audit", "Read the event history, export it, prove that it is what was sealed."),
    "keys": CommandEntry("keys", "Look after keys: what everything is sealed under, archived ones, recovery agents."),
    "mail": CommandEntry("mail", "Look at the mails that policies send."),
    "outbox": CommandEntry("outbox", "List what is to be sent, send dead letters again."),
    "settings": CommandEntry("settings", "Explain the settings."),
}


class CertwrightGroup(CommandGroup):
    """Finds commands by name, and turns our errors into messages and exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click calls it so)
        """Return the names, in the order in which one meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return the command, imported now."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = getattr(importlib.import_module(f"{__name__}.{entry.module}"), entry.function)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Exit codes: 1 for what was refused or is not available, 2 for a wrong command line."""
        try:
            return super().invoke(ctx)
        except (CertwrightError, ClientError, OSError) as error:
            if isinstance(error, BrokenPipeError):
                raise
            raise refuse(error, ctx) from error


@click.group(cls=CertwrightGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="certwright")
def main() -> None:
    """Certwright issues and manages certificates, and speaks the REST API of Microsoft Identity Manager 2016 Certificate
    Management.

    \b
    See it work:              certwright demo --data data
    Start for real:           certwright init --data /var/lib/certwright
                              certwright load my-world.toml --data /var/lib/certwright
                              certwright password alice --data /var/lib/certwright
                              certwright serve --data /var/lib/certwright
    Get a certificate:        certwright enroll --url https://ca.example.com:8443 --ca ca.pem \\
                                --template "Software Certificate" --user alice --out certificates

    "certwright COMMAND --help" explains each, with examples. The installation is the one that --data names, or the environment
    variable CERTWRIGHT_DATA; otherwise the one in ./data, if one of yours is there, or in /var/lib/certwright.
    """
    # Whatever a command writes is its user's alone, databases included, unless the command says otherwise.
    os.umask(0o077)
    forbid_core_dumps()
    if not sys.warnoptions:
        # What a library has to say to programmers helps no user.
        warnings.simplefilter("ignore")
    # Imported now, as commands are: "certwright --help" needs none of it.
    importlib.import_module(f"{__name__}.logs").configure_first_logs()
