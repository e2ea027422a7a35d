"""The page on mail and webhooks, done with a mail server and a receiver of webhooks on this machine."""

import json
import runpy
import time
from collections.abc import Callable
from pathlib import Path

from certwright.bootstrap import open_installation
from certwright.domain.outbox import OutboxMessage, OutboxState
from worlds.commands import certwright, serving
from worlds.pages import put_settings, reading
from worlds.readers import House
from worlds.receivers import make_server_tls, receiving_calls, receiving_mail
from worlds.rest_steps import SOFTWARE, open_request
from worlds.system import await_that

SUBSCRIBER = "8f1590dc-d932-4b66-8e68-2e91c5880780"
AUDITORS = "security@example.com"


def await_dead(data: Path, count: int) -> tuple[OutboxMessage, ...]:
    """Return the dead letters, once there are so many."""

    def list_dead() -> tuple[OutboxMessage, ...]:
        with installation.world.store.reading() as session:
            return tuple(session.outbox.list_all(OutboxState.DEAD, count))

    with open_installation(data) as installation:
        await_that(lambda: len(list_dead()) == count, f"{count} mails that nobody takes are not dead")
        return list_dead()


def test_send_mail_and_webhooks(house: House, tmp_path: Path) -> None:
    tls, root = make_server_tls(tmp_path)
    settings = house.data / "certwright.toml"
    with (
        receiving_mail(tls, signs_in=True) as mailbox,
        receiving_calls(tls) as hook,
        reading("docs/how-to/send-mail-and-webhooks.md", house.folder, {}, house.scripts) as reader,
    ):
        mailbox.to_rcpt = dict.fromkeys((AUDITORS, "manager@contoso.com"), "550 5.1.1 no such mailbox")
        reader.places |= {
            "mail.example.com": "localhost",
            "siem.example.com": f"localhost:{hook.port}",
        }
        reader.settle(settings, "[mail]")
        put_settings(settings, f'[mail]\nport = {mailbox.port}\nca_file = "{root}"\n')
        reader.run("read -rs mail_password", typed="mail password\n")
        with serving(house.data) as server, house.client(server.url, "manager") as client:
            add_notifications(house, reader.take("toml", "notifications"))
            reader.run("load world.toml")
            shown = reader.run("mail preview")
            assert "To:      subject, originator, security@example.com" in shown
            assert "Subject: Denied: Software Certificate for Sam Sample" in shown
            reader.places["REQUEST"] = request = open_request(client, SOFTWARE, target=SUBSCRIBER)
            reader.run("--part html")
            assert "has denied it." in (house.folder / "mail.html").read_text()
            await_that(lambda: len(mailbox.taken) == 2, "the approvers have no mail")
            with house.client(server.url, "approver") as approver:
                denied = approver.put(f"/requests/{request}", json={"status": "Denied", "comment": "not this year"})
                assert denied.status_code == 200, denied.text
            dead = {each.recipient: each.id for each in await_dead(house.data, 2)}
            await_that(lambda: len(mailbox.taken) == 3, "the subject has no mail")
            letter = mailbox.letters[-1]
            assert letter["Subject"] == "Denied: Software Certificate for Sam Subscriber"
        reader.settle(settings, "[[webhooks]]")
        put_settings(settings, f'[[webhooks]]\nca_file = "{root}"\n')
        reader.run("openssl rand")
        assert (house.data / "siem-secret").stat().st_mode & 0o777 == 0o600
        with serving(house.data) as server, house.client(server.url, "manager") as client:
            open_request(client, SOFTWARE, target=SUBSCRIBER)
            await_that(lambda: hook.calls, "the webhook is not called")
            ((path, headers, body),) = hook.calls
            check_call(reader.take("text", "POST /certwright"), path, headers, body)
            (house.scripts / "receiver.py").write_text(reader.take("python", "is_ours"))
            is_ours = runpy.run_path(str(house.scripts / "receiver.py"))["is_ours"]
            check_receiver(is_ours, (house.data / "siem-secret").read_text().strip(), headers, body)
            reader.places["MESSAGE"] = str(dead[AUDITORS])
            mailbox.to_rcpt.clear()
            told = reader.run("outbox resend")
            assert told.count("1 message waits to be sent again.") == 2
            await_that(
                lambda: {"new@example.com", "manager@contoso.com"} <= {to for _, given, _ in mailbox.taken for to in given},
                "what was dead is not sent again",
            )


def add_notifications(house: House, rules: str) -> None:
    """Make the reader's world file: what there is, with the rules under a policy that asks for approval."""
    file = house.folder / "world.toml"
    file.touch(0o600)
    exported = certwright("export", "--data", house.data).stdout
    before, name, rest = exported.partition('name = "Software Certificate"')
    others, header, enroll = rest.partition("[profile_templates.policies.enroll]\n")
    lines, bracket, further = enroll.partition("\n[")
    approvals = 'approvals_needed = 1\napprovers = ["Approvers"]\n'
    file.write_text(f"{before}{name}{others}{header}{approvals}{lines}\n{rules}{bracket}{further}")


def check_call(form: str, path: str, headers: dict[str, str], body: bytes) -> None:
    """See that a call has the path, the headers and the beginning of the body that the page shows."""
    request_line, *names, _, shown = form.rstrip().splitlines()
    assert request_line.split()[1] == path
    assert {each.partition(":")[0] for each in names} <= headers.keys()
    told = json.loads(body)
    assert list(told)[:4] == list(json.loads(shown.replace(", ...}", "}")))
    assert (told["actor"], told["type"]) == ("CORP\\manager", "create-request")


def check_receiver(is_ours: Callable[..., bool], secret: str, headers: dict[str, str], body: bytes) -> None:
    """See that the page's receiver takes the call once, in time, and no other."""
    now = time.time()
    seen: set[str] = set()
    assert not is_ours("another secret", headers, body, now, seen)
    assert not is_ours(secret, headers, body + b" ", now, seen)
    assert not is_ours(secret, headers, body, now + 1_000, seen)
    assert is_ours(secret, headers, body, now, seen)
    assert not is_ours(secret, headers, body, now, seen)
