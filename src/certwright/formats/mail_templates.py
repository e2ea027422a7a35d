"""Templates of mails: Jinja2, of which only what fills in facts is left.

What a template can do: show a fact, choose (``if``), and go through a list of facts (``for``). It cannot call, count, import or
switch the escaping of HTML off, so that neither its author nor anybody whose name stands in a mail can do more than that.

Source: the syntax is Jinja2's; which of its parts are allowed is ours.
"""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from jinja2 import ChainableUndefined, StrictUndefined, TemplateError, Undefined, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from certwright.domain.errors import DefinitionInvalid
from certwright.domain.notifications import MailTemplate

MAIL_LIMIT_CHARACTERS = 200_000
SUBJECT_LIMIT_CHARACTERS = 200
TEMPLATE_LIMIT_CHARACTERS = 50_000
_FILTERS = ("default", "join", "length", "lower", "title", "trim", "upper")
_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Getattr,
    nodes.Const,
    nodes.Filter,
    nodes.If,
    nodes.CondExpr,
    nodes.For,
    nodes.Not,
    nodes.And,
    nodes.Or,
    nodes.Compare,
    nodes.Operand,
    nodes.Test,
    nodes.Keyword,
)
_BIDIRECTIONAL = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""What turns the direction of a text around, with which one name can be made to look like another."""


@dataclass(frozen=True, slots=True)
class RenderedMail:
    """A mail before it is addressed. Shape: *subject* is one line; *html* is empty where the template has none."""

    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)


class _Environment(ImmutableSandboxedEnvironment):
    """Facts are reached by name only: nothing of Python's own objects is."""

    def is_safe_attribute(self, _obj: Any, _attr: str, _value: Any) -> bool:
        return False


def _make_environment(undefined: type[Undefined], *, is_html: bool) -> _Environment:
    made = _Environment(
        autoescape=is_html, undefined=undefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    made.filters = {name: made.filters[name] for name in _FILTERS}
    made.tests = {name: made.tests[name] for name in ("defined",)}
    made.globals = {}
    return made


# A template is tried strictly before it is stored; a mail with a gap is better than none, when a fact is missing later.
_STRICT = (_make_environment(StrictUndefined, is_html=False), _make_environment(StrictUndefined, is_html=True))
_LENIENT = (_make_environment(ChainableUndefined, is_html=False), _make_environment(ChainableUndefined, is_html=True))


def check_mail_template(template: MailTemplate, where: str, sample: Mapping[str, Any]) -> None:
    """Raise unless *template* can be filled in with facts such as *sample*.

    Errors: DefinitionInvalid, at *where*, as `render_mail`, and for facts that there are not.
    """
    _fill_in(template, sample, where, *_STRICT)


def render_mail(template: MailTemplate, facts: Mapping[str, Any]) -> RenderedMail:
    """Return the mail that *template* makes of *facts*, whose line breaks and control characters are blanks in it.

    Errors: DefinitionInvalid, with the part and its line, for what is no template, for parts of Jinja2 that are not allowed,
            and mails without end.
    """
    return _fill_in(template, facts, "mail template", *_LENIENT)


def _fill_in(
    template: MailTemplate, facts: Mapping[str, Any], where: str, plain: _Environment, escaping: _Environment
) -> RenderedMail:
    clean = _clean(facts)
    subject = _render(plain, template.subject, clean, f"{where}.subject")
    return RenderedMail(
        subject=" ".join(_clean_text(subject).split())[:SUBJECT_LIMIT_CHARACTERS],
        text=_render(plain, template.text, clean, f"{where}.text"),
        html=_render(escaping, template.html, clean, f"{where}.html") if template.html else "",
    )


def _render(environment: _Environment, source: str, facts: Mapping[str, Any], where: str) -> str:
    if len(source) > TEMPLATE_LIMIT_CHARACTERS:
        raise DefinitionInvalid(where, f"more than {TEMPLATE_LIMIT_CHARACTERS} characters")
    try:
        pieces = _compile(environment, source).generate(facts)
        return "".join(_up_to_limit(pieces))
    except TemplateError as error:
        line = getattr(error, "lineno", None)
        place = "" if line is None else f"line {line}: "
        raise DefinitionInvalid(where, f"{place}{(error.message or '').rstrip('.')}") from error
    except (TypeError, ValueError, RecursionError) as error:
        raise DefinitionInvalid(where, str(error)) from error


@lru_cache(maxsize=256)
def _compile(environment: _Environment, source: str) -> Any:
    for node in _walk(environment.parse(source)):
        # A loop in a loop could run for years: texts count as lists of their characters.
        if not isinstance(node, _ALLOWED) or (isinstance(node, nodes.For) and any(node.find_all(nodes.For))):
            raise TemplateRefused(node)
    return environment.from_string(source)


class TemplateRefused(TemplateError):
    """A part of Jinja2 that is not allowed here."""

    def __init__(self, node: nodes.Node) -> None:
        what = "a loop in a loop" if isinstance(node, nodes.For) else f"{type(node).__name__.lower()}"
        super().__init__(f"{what} is not allowed in a mail template")
        self.lineno = node.lineno


def _walk(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    for below in node.iter_child_nodes():
        yield from _walk(below)


def _up_to_limit(pieces: Iterator[str]) -> Iterator[str]:
    length = 0
    for piece in pieces:
        length += len(piece)
        if length > MAIL_LIMIT_CHARACTERS:
            raise ValueError(f"the mail has more than {MAIL_LIMIT_CHARACTERS} characters")
        yield piece


def _clean(value: Any) -> Any:
    match value:
        case str():
            return _clean_text(value)
        case Mapping():
            return {name: _clean(each) for name, each in value.items()}
    return [_clean(each) for each in value]


def _clean_text(text: str) -> str:
    """Return *text* in one line, without what would make it look like something else."""
    kept = (each for each in text if each not in _BIDIRECTIONAL)
    return "".join(" " if unicodedata.category(each) in ("Cc", "Zl", "Zp", "Cs") else each for each in kept)
