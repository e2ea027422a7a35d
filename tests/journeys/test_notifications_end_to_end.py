"""A server as shipped with a mail server and a webhook in its settings, and an administrator who looks after the outbox."""

import json
import shutil
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from uuid import UUID

import httpx
import pytest

from worlds.commands import FAST_SETTINGS, certwright, serving
from worlds.receivers import (
    Hook,
    Mailbox,
    find_free_port,
    hang,
    make_server_tls,
    misbehaving,
    receiving_calls,
    receiving_mail,
)

PATIENCE_SECONDS = 120
PASSWORD = "correct horse battery"
ROOT = "/CertificateManagement/api/v1.0"
MANAGED = "Managed Software Certificate"


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    return make_server_tls(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def mailbox(tls: tuple[ssl.SSLContext, Path]) -> Iterator[Mailbox]:
    with receiving_mail(tls[0], signs_in=True) as received:
        yield received


@pytest.fixture
def hook(tls: tuple[ssl.SSLContext, Path]) -> Iterator[Hook]:
    with receiving_calls(tls[0]) as received:
        yield received


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation of the demo world."""
    made = tmp_path_factory.mktemp("installed") / "data"
    made.mkdir(mode=0o700)
    (made / "certwright.toml").write_text(FAST_SETTINGS)
    people = [("password", each) for each in ("manager", "approver", "approver2")]
    for command in (("init",), ("load", "demo"), *people):
        done = certwright(*command, "--data", made, variables={"CERTWRIGHT_PASSWORD": PASSWORD})
        assert done.returncode == 0, done.stderr
    for name, secret in (("mail-password", "mail password"), ("siem-secret", "0123456789abcdef")):
        (made / name).write_text(secret)
        (made / name).chmod(0o600)
    return made


@pytest.fixture
def data(installed: Path, tls: tuple[ssl.SSLContext, Path], mailbox: Mailbox, hook: Hook, tmp_path: Path) -> Path:
    """The installation, with a mail server and a webhook in its settings."""
    copy = tmp_path / "data"
    shutil.copytree(installed, copy)
    (copy / "certwright.toml").write_text(
        FAST_SETTINGS
        + f"""
[mail]
host = "localhost"
port = {mailbox.port}
ca_file = "{tls[1]}"
sender = "ca@contoso.com"
user = "certwright"
password = "file:mail-password"
[[webhooks]]
name = "siem"
url = "https://localhost:{hook.port}/events"
ca_file = "{tls[1]}"
secret = "file:siem-secret"
types = ["create-request"]
"""
    )
    return copy


def open_request(url: str, data: Path) -> UUID:
    """Return a request of the manager for the subscriber; it waits for approvals."""
    trust = ssl.create_default_context(cafile=data / "ca.pem")
    with httpx.Client(base_url=f"{url}{ROOT}", auth=("manager", PASSWORD), verify=trust, timeout=PATIENCE_SECONDS) as client:
        templates = {each["Name"]: each["Uuid"] for each in client.get("/profiletemplates").json()}
        wish = {
            "profiletemplateuuid": templates[MANAGED],
            "type": "Enroll",
            "target": "8f1590dc-d932-4b66-8e68-2e91c5880780",
            "datacollection": [{"Name": "Cost Centre", "Value": "4711"}],
        }
        answer = client.post("/requests", json=wish)
        assert answer.status_code == 201, answer.text
        return UUID(answer.json().rpartition("/")[2])


def test_a_request_is_told_to_its_approvers_and_to_the_webhook(data: Path, mailbox: Mailbox, hook: Hook) -> None:
    called = Event()
    hook.answer = lambda _: called.set() or 204  # type: ignore[func-returns-value]
    with serving(data) as server:
        request_id = open_request(server.url, data)
        assert called.wait(PATIENCE_SECONDS)
        assert mailbox.arrived.wait(PATIENCE_SECONDS)
        assert server.stop() == 0
    ((path, _, body),) = hook.calls
    told = json.loads(body)
    assert (path, told["type"], told["request"]["id"]) == ("/events", "create-request", str(request_id))
    assert mailbox.was_encrypted[0]
    assert mailbox.signed_in[0] == "certwright"
    assert "It waits for approval" in mailbox.letters[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    # The other approver's is sent now, if it was not yet: whoever works next goes on.
    assert certwright("work", "--once", "--data", data).returncode == 0
    recipients = sorted(recipient for _, recipients, _ in mailbox.taken for recipient in recipients)
    assert recipients == ["approver2@contoso.com", "approver@contoso.com"]
    listed = json.loads(certwright("outbox", "list", "--json", "--data", data).stdout)
    assert {each["state"] for each in listed} == {"sent"}
    assert "mail password" not in certwright("outbox", "list", "--data", data).stdout


def test_dead_letters_are_listed_shown_and_sent_again(data: Path, mailbox: Mailbox, hook: Hook) -> None:
    mailbox.to_rcpt["approver@contoso.com"] = "550 5.1.1 no such mailbox"
    mailbox.to_rcpt["approver2@contoso.com"] = "550 5.1.1 no such mailbox"
    with serving(data) as server:
        open_request(server.url, data)
        assert server.stop() == 0
    assert certwright("work", "--once", "--data", data).returncode == 0
    dead = json.loads(certwright("outbox", "list", "--state", "dead", "--json", "--data", data).stdout)
    assert [(each["attempts"], each["sink"]) for each in dead] == [(1, "mail")] * 2
    assert "no such mailbox" in certwright("outbox", "list", "--data", data).stdout
    shown = json.loads(certwright("outbox", "show", dead[0]["id"], "--json", "--data", data).stdout)
    assert shown["content"]["facts"]["profile_template"]["name"] == MANAGED
    mailbox.to_rcpt.clear()
    assert "2 messages" in certwright("outbox", "resend", "--all", "--data", data).stdout
    assert certwright("work", "--once", "--data", data).returncode == 0
    assert len(mailbox.taken) == 2
    again = certwright("outbox", "resend", dead[0]["id"], "--data", data)
    assert (again.returncode, "outbox-message-not-found" in again.stderr) == (1, True)


def test_a_one_time_password_goes_to_its_subject_by_mail_and_is_nowhere_to_be_seen(
    data: Path, mailbox: Mailbox, hook: Hook
) -> None:
    with serving(data) as server:
        request_id = str(open_request(server.url, data))
        assert server.stop() == 0
    for action, account in (("approve", "approver"), ("approve", "approver2"), ("distribute", "manager")):
        command = ("requests", action, request_id, "--user", account, "--data", data)
        done = certwright(*command, variables={"CERTWRIGHT_PASSWORD": PASSWORD})
        assert done.returncode == 0, done.stderr
    listed = certwright("outbox", "list", "--json", "--data", data).stdout
    (waiting,) = (each for each in json.loads(listed) if each["has_secret"])
    shown = certwright("outbox", "show", waiting["id"], "--data", data).stdout
    at_rest = b"".join(each.read_bytes() for each in data.glob("certwright.db*"))
    while certwright("outbox", "list", "--state", "waiting", "--json", "--data", data).stdout.strip() != "[]":
        assert certwright("work", "--once", "--data", data).returncode == 0
    (letter,) = (each for each in mailbox.letters if str(each["Subject"]).startswith("One-time password:"))
    assert [each.addr_spec for each in letter["To"].addresses] == ["subscriber@contoso.com"]
    text = letter.get_body(("plain",))
    assert text is not None
    (password,) = (line.strip() for line in text.get_content().splitlines() if line.startswith("    "))
    assert len(password.replace("-", "")) == 12
    assert password not in listed + shown
    assert password.encode() not in at_rest
    assert password.encode() not in b"".join(each.read_bytes() for each in data.glob("certwright.db*"))


def test_a_webhook_that_hangs_holds_up_neither_mail_nor_the_end_of_the_server(data: Path, mailbox: Mailbox, hook: Hook) -> None:
    met = Event()

    def hang_and_tell(connection: socket.socket, ended: Event) -> None:
        met.set()
        hang(connection, ended)

    settings = data / "certwright.toml"
    with misbehaving(hang_and_tell) as port:
        settings.write_text(settings.read_text().replace(f":{hook.port}/", f":{port}/") + 'time_limit = "2 s"\n')
        with serving(data) as server:
            open_request(server.url, data)
            assert met.wait(PATIENCE_SECONDS)
            assert mailbox.arrived.wait(PATIENCE_SECONDS)
            assert server.stop() == 0
    (waiting,) = json.loads(certwright("outbox", "list", "--state", "waiting", "--json", "--data", data).stdout)
    assert (waiting["sink"], waiting["error"]) == ("webhook:siem", "it took longer than 2 s")


def test_what_is_due_is_shown_and_not_sent(data: Path, mailbox: Mailbox, hook: Hook) -> None:
    with (data / "certwright.toml").open("a") as settings:
        settings.write("[worker]\nenabled = false\n")
    with serving(data) as server:
        open_request(server.url, data)
        assert server.stop() == 0
    shown = certwright("work", "--once", "--dry-run", "--data", data).stdout
    assert "2 messages to be sent by mail" not in shown, "of one subject one is due at a time"
    assert "1 message to be sent by mail" in shown
    assert "1 message to be sent by webhook:siem" in shown
    assert (mailbox.taken, hook.calls) == ([], [])


def test_mails_are_looked_at_before_anybody_gets_them(data: Path) -> None:
    sample = ("--template", MANAGED, "--policy", "enroll", "--data", data)
    shown = certwright("mail", "preview", "approve-request", *sample).stdout
    assert "To:      subject, originator" in shown
    assert "Subject: Approved (1 of 2): Managed Software Certificate for Sam Sample" in shown
    html = certwright("mail", "preview", "create-request", *sample, "--part", "html").stdout
    assert html.startswith("<!DOCTYPE html>")
    assert "Sam Sample &lt;sample &amp; co&gt;" in html
    (secret,) = json.loads(certwright("mail", "preview", "distribute-secrets", *sample, "--json").stdout)
    assert (secret["to"], secret["built_in"]) == ([], True)
    with serving(data) as server:
        request_id = open_request(server.url, data)
        assert server.stop() == 0
    real = certwright("mail", "preview", "create-request", "--request", str(request_id), "--data", data).stdout
    assert "Sam Subscriber" in real
    assert "Mary Manager" in real
    assert certwright("mail", "preview", "create-request", "--data", data).returncode == 2


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ('[mail]\nhost = "mail.contoso.com"', "mail.sender"),
        ('[mail]\nhost = "mail.contoso.com"\nsender = "ca@contoso.com"\nca_file = "missing.pem"', "mail.ca_file"),
        ('[[webhooks]]\nname = "siem"\nurl = "https://siem.contoso.com/"', "webhooks[0].secret"),
    ],
)
def test_settings_that_could_not_work_are_refused_at_the_start(installed: Path, tmp_path: Path, wrong: str, path: str) -> None:
    data = tmp_path / "data"
    shutil.copytree(installed, data)
    (data / "certwright.toml").write_text(FAST_SETTINGS + wrong)
    refused = certwright("serve", "--data", data, "--port", str(find_free_port()))
    assert refused.returncode == 1
    assert path in refused.stderr
