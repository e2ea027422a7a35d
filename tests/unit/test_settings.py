"""Settings: what a file may say, and every way in which it may not."""

import re
from datetime import timedelta

import pytest

from certwright.domain.errors import DefinitionInvalid, Refused, RulesBroken
from certwright.domain.mail_security import MailSecurity
from certwright.setting_values import SecretReference
from certwright.settings import (
    AuthorityKey,
    Settings,
    describe_settings,
    encode_settings_template,
    list_effective,
    parse_settings,
)


def list_faults(text: str) -> dict[str, str]:
    """Return what is wrong with the settings *text*, by dotted path."""
    with pytest.raises(Refused) as refused:
        parse_settings(text)
    faults = refused.value.broken if isinstance(refused.value, RulesBroken) else (refused.value,)
    return {each.where: each.detail for each in faults if isinstance(each, DefinitionInvalid)}


def test_an_empty_file_means_the_defaults() -> None:
    assert parse_settings("") == Settings()


def test_every_kind_of_setting_is_read() -> None:
    settings = parse_settings(
        """
        [server]
        host = "0.0.0.0"
        port = 443
        tls_names = ["ca.example.com"]
        tls_renew_before = "30 days"
        [database]
        url = "postgresql://certwright@db.example.com/certwright"
        password = "env:DATABASE_PASSWORD"
        [keys]
        passphrase = "file:/run/secrets/passphrase"
        [authority]
        issuing_key = "p-384"
        """
    )
    assert (settings.server.host, settings.server.port, settings.server.tls_names) == ("0.0.0.0", 443, ("ca.example.com",))
    assert settings.server.tls_renew_before == timedelta(days=30)
    assert settings.database.password == SecretReference("env", "DATABASE_PASSWORD")
    assert settings.keys.passphrase == SecretReference("file", "/run/secrets/passphrase")
    assert settings.authority.issuing_key is AuthorityKey.P384


def test_all_faults_are_told_at_once_each_by_its_dotted_path() -> None:
    faults = list_faults(
        """
        colour = "blue"
        log = "loud"
        [server]
        port = "443"
        hosts = "localhost"
        tls_names = "localhost"
        [sign_in]
        remember = 300
        [authority]
        root_key = "dsa-1024"
        """
    )
    assert list(faults) == [
        "colour",
        "server.hosts",
        "server.port",
        "server.tls_names",
        "authority.root_key",
        "sign_in.remember",
        "log",
    ]


@pytest.mark.parametrize("value", ['"hunter2"', '"file:"', "12345", '"passphrase"', '"credential:"', '"credential:../hunter2"'])
def test_a_secret_in_clear_is_refused_and_not_repeated(value: str) -> None:
    faults = list_faults(f"[keys]\npassphrase = {value}")
    assert list(faults) == ["keys.passphrase"]
    assert "hunter2" not in faults["keys.passphrase"]


def test_a_password_in_the_database_url_is_refused_and_not_repeated() -> None:
    faults = list_faults('[database]\nurl = "postgresql://certwright:hunter2@db/certwright"')
    assert list(faults) == ["database.url"]
    assert "hunter2" not in faults["database.url"]


@pytest.mark.parametrize("duration", ['"5"', '"5 minutes"', '"-5 min"', '"five min"', '"2 h"', '"99999999999 years"', "true"])
def test_a_duration_needs_a_unit_that_is_known_and_must_be_in_its_range(duration: str) -> None:
    assert list(list_faults(f"[sign_in]\nremember = {duration}")) == ["sign_in.remember"]


@pytest.mark.parametrize("port", ["0", "65536", "-1", "true", "8443.0"])
def test_a_port_is_a_whole_number_of_two_octets(port: str) -> None:
    assert list(list_faults(f"[server]\nport = {port}")) == ["server.port"]


@pytest.mark.parametrize("url", ["", "localhost", "ftp://x", "http://", "http://[bad", "http://u@h", "http://h/?q=1"])
def test_the_public_url_is_a_plain_web_address(url: str) -> None:
    assert list(list_faults(f'[server]\npublic_url = "{url}"')) == ["server.public_url"]


def test_a_file_that_is_no_toml_is_refused_with_the_line() -> None:
    assert "line 2" in list_faults("[server]\nport 443")["certwright.toml"]


def test_every_setting_is_described() -> None:
    described = list(describe_settings())
    assert len({each.path for each in described}) == len(described) > 10
    assert all(each.meaning.endswith(".") and each.kind for each in described)


def test_the_template_means_the_defaults_as_it_is_and_with_every_setting_uncommented() -> None:
    template = encode_settings_template()
    assert parse_settings(template) == Settings()
    uncommented = re.sub(r"^# (\w+ = )", r"\1", template, flags=re.MULTILINE)
    without_example = uncommented.replace('password = "file:NAME"', "")
    assert without_example != uncommented
    assert parse_settings(without_example) == Settings()
    assert all(each.path.partition(".")[2] + " = " in uncommented for each in describe_settings())


# -- mail and webhooks -----------------------------------------------------------------------------------------------------

HOOK = '[[webhooks]]\nname = "siem"\nurl = "https://siem.contoso.com/x"\nsecret = "file:siem"\n'
MAIL_SERVER = '[mail]\nhost = "mail.contoso.com"\nsender = "ca@contoso.com"\n'


def test_a_mail_server_and_any_number_of_webhooks_are_read() -> None:
    other = HOOK.replace("siem", "desk") + 'types = ["deny-request"]\n'
    settings = parse_settings(MAIL_SERVER + 'user = "ca"\npassword = "env:MAIL"\n' + HOOK + other)
    assert (settings.mail.host, settings.mail.port, settings.mail.security) == ("mail.contoso.com", 587, MailSecurity.STARTTLS)
    assert [(each.name, each.types) for each in settings.webhooks] == [("siem", ()), ("desk", ("deny-request",))]
    assert settings.webhooks[1].secret == SecretReference("file", "desk")


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ('[mail]\nhost = "mail.contoso.com"', ["mail.sender"]),
        (MAIL_SERVER + 'security = "none"', ["mail.security"]),
        (MAIL_SERVER + 'user = "ca"', ["mail.password"]),
        (MAIL_SERVER + 'password = "hunter2"', ["mail.password"]),
        (MAIL_SERVER.replace("ca@", "CA <ca@"), ["mail.sender"]),
        ('[mail]\nhost = "127.0.0.1"\nsender = "a@b"\nsecurity = "none"\nuser = "x"\npassword = "env:X"', ["mail.security"]),
        ("[mail]\ntime_limit = 10", ["mail.time_limit"]),
        ("webhooks = 1", ["webhooks"]),
        ('[webhooks]\nname = "siem"', ["webhooks"]),
        ("[[webhooks]]", ["webhooks[0].name", "webhooks[0].url", "webhooks[0].secret"]),
        (HOOK + HOOK, ["webhooks"]),
        (HOOK + HOOK.replace("siem", "S I"), ["webhooks[1].name"]),
        (HOOK.replace("https", "http"), ["webhooks[0].url"]),
        (HOOK.replace("/x", "/x?token=1"), ["webhooks[0].url"]),
        (HOOK + 'types = ["deny"]', ["webhooks[0].types"]),
        (HOOK + 'colour = "red"', ["webhooks[0].colour"]),
    ],
)
def test_faults_about_mail_and_webhooks_are_told(text: str, paths: list[str]) -> None:
    assert list(list_faults(text)) == paths


def test_programs_on_this_machine_can_be_reached_in_clear() -> None:
    local = MAIL_SERVER.replace("mail.contoso.com", "localhost") + 'security = "none"\n'
    parse_settings(local + HOOK.replace("https://siem.contoso.com", "http://127.0.0.1:8000"))


def test_what_is_in_force_is_told_by_its_path_and_of_secrets_only_where_they_are() -> None:
    text = """
[server]
port = 9443
[[webhooks]]
name = "one"
url = "https://one.example.com/"
secret = "env:ONE"
"""
    effective = list_effective(parse_settings(text))
    defaults = list_effective(Settings())
    chosen = {path: value for path, value in effective.items() if defaults.get(path) != value}
    assert chosen.pop("server.port") == "9443"
    assert chosen["webhooks.1.secret"] == '"env:ONE"'
    assert {each.rpartition(".")[0] for each in chosen} == {"webhooks.1"}
