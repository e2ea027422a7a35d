"""The root of the tree, its two great branches, and several refusals as one."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(eq=False)
class CertwrightError(Exception):
    """The root of the tree; never raised itself."""

    code: ClassVar[str] = ""
    sentence: ClassVar[str] = ""

    @property
    def text(self) -> str:
        """Return what is wrong and, where it can be said, what to do."""
        return self.sentence.format(**vars(self))

    def __str__(self) -> str:
        return f"{self.code}: {self.text}"


class Refused(CertwrightError):
    """The caller can act: another value, another right, another time."""


class Unavailable(CertwrightError):
    """Nothing is wrong with the question; we cannot answer it now."""


@dataclass(eq=False)
class RulesBroken(Refused):
    """Several rules at once, so that a caller mends them in one go."""

    code = "rules-broken"
    broken: tuple[Refused, ...]

    @property
    def text(self) -> str:
        """Return what each of the rules says."""
        return " ".join(each.text for each in self.broken)


def check_none_broken(broken: list[Refused]) -> None:
    """Raise the one refusal of *broken* as itself, several as `RulesBroken`, none not at all."""
    if len(broken) == 1:
        raise broken[0]
    if broken:
        raise RulesBroken(tuple(broken))
