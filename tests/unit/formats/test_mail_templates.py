"""Templates of mails: what they can do, and everything that they cannot."""

from html.parser import HTMLParser

import pytest

from certwright.domain.errors import DefinitionInvalid
from certwright.domain.notifications import MailTemplate, NotificationType
from certwright.formats.built_in_mails import BUILT_IN_MAILS, make_sample_facts
from certwright.formats.mail_templates import SUBJECT_LIMIT_CHARACTERS, check_mail_template, render_mail

FACTS = make_sample_facts(NotificationType.CREATE_REQUEST)
HOSTILE = '</td></tr></table><script>alert("x")</script><img src=x onerror=y> & \' "'


class Elements(HTMLParser):
    """Reads HTML with a parser that is not ours."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def html(source: str, facts: dict = FACTS) -> str:
    return render_mail(MailTemplate(subject="s", text="t", html=source), facts).html


@pytest.mark.parametrize("kind", NotificationType)
def test_there_is_a_built_in_mail_of_every_kind_that_its_facts_fill_in(kind: NotificationType) -> None:
    check_mail_template(BUILT_IN_MAILS[kind], "built-in", make_sample_facts(kind))
    mail = render_mail(BUILT_IN_MAILS[kind], make_sample_facts(kind))
    assert mail.subject
    assert mail.text.strip()
    assert Elements(mail.html).names[:2] == ["html", "body"]


def test_the_mail_with_passwords_has_each_of_them_and_the_renewal_notice_has_none() -> None:
    facts = make_sample_facts(NotificationType.DISTRIBUTE_SECRETS) | {"secrets": ["first-4711", "second-4712"]}
    template = BUILT_IN_MAILS[NotificationType.DISTRIBUTE_SECRETS]
    mail = render_mail(template, facts)
    for part in (mail.text, mail.html):
        assert "first-4711" in part
        assert "second-4712" in part
    assert "4711" not in mail.subject + repr(mail)
    del facts["secrets"]
    assert "handed out" in render_mail(template, facts).text
    assert "renew" in render_mail(template, facts | {"details": {"operation": "renew"}}).text


@pytest.mark.parametrize("kind", NotificationType)
def test_nobodys_data_breaks_the_html(kind: NotificationType) -> None:
    facts = make_sample_facts(kind)
    plain = Elements(render_mail(BUILT_IN_MAILS[kind], facts).html)
    facts |= {"comment": HOSTILE, "actor": HOSTILE, "subject": dict.fromkeys(facts["subject"], HOSTILE)}
    facts["details"] = dict.fromkeys(facts["details"], HOSTILE)
    broken_into = Elements(render_mail(BUILT_IN_MAILS[kind], facts).html)
    assert broken_into.names == plain.names
    assert any("<script>" in each for each in broken_into.texts), "it is shown as what it is"


def test_a_subject_is_one_line_whatever_is_in_it() -> None:
    facts = FACTS | {"comment": "x\r\nBcc: eve@example.com\n\n\u2028body\u202etxt"}
    template = MailTemplate(subject="About:\n {{ comment }}", text="t")
    assert render_mail(template, facts).subject == "About: x Bcc: eve@example.com bodytxt"
    long = MailTemplate(subject="x" * 2_000, text="t")
    assert len(render_mail(long, facts).subject) == SUBJECT_LIMIT_CHARACTERS


def test_a_comment_adds_no_lines_to_the_text() -> None:
    facts = FACTS | {"comment": "first\nApproved by: the boss"}
    assert render_mail(MailTemplate(subject="s", text="{{ comment }}"), facts).text == "first Approved by: the boss"


def test_a_template_chooses_and_repeats() -> None:
    source = "{% for each in names if each != 'b' %}{{ each|upper }}{{ '!' if comment else '' }}{% else %}nobody{% endfor %}"
    assert html(source, FACTS | {"names": ["a", "b", "c"]}) == "A!C!"
    assert html(source, FACTS | {"names": []}) == "nobody"


@pytest.mark.parametrize(
    "source",
    [
        "{% autoescape false %}{{ comment }}{% endautoescape %}",
        "{{ comment|safe }}",
        "{{ comment|attr('x') }}",
        "{{ comment.upper() }}",
        "{{ 9 ** 9 }}",
        "{{ comment ~ comment }}",
        "{{ 'x' * 1000000000 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ request['id'] }}",
        "{% set x = 1 %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% import 'x' as y %}",
        "{% include '/etc/passwd' %}",
        "{% extends 'x' %}",
        "{% for i in range(9) %}{% endfor %}",
        "{% for a in comment %}{% for b in comment %}{% endfor %}{% endfor %}",
        "{% block x %}{% endblock %}",
        "{% filter upper %}x{% endfilter %}",
        "{% for x in comment recursive %}{{ loop(comment) }}{% endfor %}",
        "{{ lipsum }}{{ cycler.__init__.__globals__ }}{{ self.__init__() }}",
        "{{",
        "{% if %}",
        "{{ nobody knows }}",
        "x" * 60_000,
    ],
)
def test_everything_else_of_the_language_is_refused(source: str) -> None:
    with pytest.raises(DefinitionInvalid):
        html(source)


@pytest.mark.parametrize(
    "source", ["{{ request.__class__ }}", "{{ request.keys }}", "{{ comment.upper }}", "{{ ''.__class__ }}"]
)
def test_objects_of_python_are_out_of_reach(source: str) -> None:
    assert html(source) == ""
    with pytest.raises(DefinitionInvalid):
        check_mail_template(MailTemplate(subject="s", text="t", html=source), "x", FACTS)


def test_a_fact_that_there_is_not_is_told_when_the_template_is_looked_at() -> None:
    template = MailTemplate(subject="{{ requst.id }}", text="t")
    with pytest.raises(DefinitionInvalid) as refused:
        check_mail_template(template, "policies.enroll.notifications.create-request", FACTS)
    assert refused.value.where == "policies.enroll.notifications.create-request.subject"
    assert "requst" in refused.value.detail
    assert render_mail(template, FACTS).subject == "", "a mail with a gap is better than none"


def test_faults_name_their_line() -> None:
    with pytest.raises(DefinitionInvalid) as refused:
        html("fine\nfine\n{{ 1 + 1 }}")
    assert "line 3" in refused.value.detail
