"""The tutorial, done as it stands, from an empty folder to the proof of what happened."""

import sys
from pathlib import Path

from certwright.wire.cli.audit import NOT_COMPARED
from worlds.commands import serving
from worlds.pages import reading

MAKE = "make .venv/.installed\n"


def test_the_tutorial_leads_to_a_certificate_a_refusal_and_a_history_without_faults(tmp_path: Path) -> None:
    folder, scripts = tmp_path / "reader", tmp_path / "scripts"
    for each in (folder, scripts):
        each.mkdir()
    (folder / ".venv").symlink_to(Path(sys.executable).parent.parent)
    with reading("docs/tutorial/first-certificate.md", folder, {}, scripts) as reader:
        assert reader.pass_over("make run") == "make run\n"
        first = reader.pass_over("make .venv")
        assert first.startswith(MAKE)
        # The program is installed already: there is no Makefile in this folder.
        reader.terminal.run(first.removeprefix(MAKE))
        assert {each.name for each in (folder / "tutorial").iterdir()} >= {
            *("ca.pem", "certwright.db", "certwright.toml", "passphrase", "tls")
        }
        assert "New or changed: 10 users, 7 groups, 10 profile templates." in reader.run("load demo")
        reader.run("password subscriber")
        assert reader.pass_over("certwright serve") == "certwright serve --data tutorial\n"
        with serving(folder / "tutorial") as server:
            reader.places["localhost:8443"] = server.url[8:]
            reader.run("--user subscriber")
            assert len(list((folder / "certificates").iterdir())) == 3
            assert "software-certificate.pem: OK" in reader.run("openssl verify")
            refused = reader.run("--user outsider", status=1)
            reader.see(refused, says="template-not-offered")
            reader.run("groups add Subscribers outsider")
            assert len(list((folder / "certificates" / "outsider").iterdir())) == 3
            assert server.interrupt() == 0
        reader.run("audit verify", status=NOT_COMPARED)
