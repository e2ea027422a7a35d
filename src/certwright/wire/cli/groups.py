"""Groups of commands, with help that is whole, and a question instead of a bare no to a command that there is not."""

from typing import Any

import click

from certwright.domain.spelling import ask_similar


class CommandGroup(click.Group):
    """A group whose list of commands has their first sentences to the end."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that *args* begin with. Errors: click.UsageError, with names that look like the wrong one."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as missing:
            question = ask_similar(args[0], self.list_commands(ctx))
            text = f"There is no command {args[0]!r}. {question or f'{ctx.command_path} --help lists all.'}"
            raise click.UsageError(text, ctx) from missing

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, _find_first_sentence(each)) for name, each in commands if each and not each.hidden])


class NamedChoice(click.Choice[str]):
    """One of some names; a wrong one is answered with those that look like it, and with all of them only where they are few."""

    FEW = 12

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """Return what is wrong and what to write."""
        names = [str(each) for each in self._normalized_mapping(ctx=ctx).values()]
        question = ask_similar(str(value), names)
        listed = f"The choices are: {', '.join(names)}." if len(names) <= self.FEW else ""
        return " ".join(each for each in (f"{value!r} is not a choice.", question, listed) if each)


def _find_first_sentence(command: click.Command) -> str:
    """Return it without the end of its line being where the screen ends."""
    text = " ".join((command.short_help or command.help or "").partition("\n\n")[0].split())
    sentence, stop, _ = text.partition(". ")
    return sentence + stop.strip()
