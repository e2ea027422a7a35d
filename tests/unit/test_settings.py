"""Settings: what a file may say, and every way in which it may not."""

import re
from datetime import timedelta

import pytest

from certwright.domain.errors import DefinitionInvalid, Refused, RulesBroken
from certwright.setting_values import SecretReference
from certwright.settings import (
    AuthorityKey,
    Settings,
    describe_settings,
    encode_settings_template,
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


@pytest.mark.parametrize("value", ['"hunter2"', '"file:"', "12345", '"passphrase"'])
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
