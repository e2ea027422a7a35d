"""certwright settings."""

from collections.abc import Iterator
from itertools import groupby

import click

from certwright.settings import SETTINGS_FILE, SettingDescription, describe_group, describe_settings
from certwright.wire.cli.console import show_result
from certwright.wire.cli.groups import CommandGroup
from certwright.wire.cli.options import json_option


@click.group("settings", cls=CommandGroup)
def command() -> None:
    """Explain the settings, which are in DATA/certwright.toml."""


@command.command("reference")
@json_option
def reference(*, as_json: bool) -> None:
    """Print every setting with its kind, default and meaning, in Markdown: docs/reference/settings.md is made with it.

    \b
    Example:
      certwright settings reference | less
    """
    show_result([_describe(each) for each in describe_settings()], list_reference_lines(), as_json=as_json)


def _describe(setting: SettingDescription) -> dict[str, str]:
    return {"setting": setting.path, "kind": setting.kind, "default": setting.default, "meaning": setting.meaning}


def list_reference_lines() -> Iterator[str]:
    """Return the lines of the manual page."""
    yield "# Settings"
    yield ""
    yield f"They are in `{SETTINGS_FILE}` in the data folder, in TOML. `certwright init` writes one with every setting in it,"
    yield "commented out. Unknown settings, missing units and secrets in clear are refused at the start, all at once."
    for group, settings in groupby(describe_settings(), key=lambda each: each.path.partition(".")[0]):
        header, sentence = describe_group(group)
        yield from ("", f"## {header}", "", sentence, "", "| Setting | Kind | Default | Meaning |")
        yield "|---|---|---|---|"
        for each in settings:
            name = each.path.removeprefix(f"{group}.")
            default = f"`{each.default}`" if each.default else "none"
            yield f"| `{name}` | {each.kind} | {default} | {each.meaning} |"
