"""What stands in the address of a call about a card is in no log: the server writes no addresses down."""

import ssl
from base64 import b64decode
from pathlib import Path

import httpx
from click.testing import CliRunner

from certwright.wire.cli import main
from worlds.commands import FAST_SETTINGS, serving
from worlds.rest_steps import DOCUMENTED, bind_card, open_request
from worlds.served import PASSWORD, ROOT


def test_neither_challenge_nor_answer_nor_key_is_in_the_log_of_a_server(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "certwright.toml").write_text(FAST_SETTINGS + '[log]\nlevel = "debug"\n')
    for command in (("init",), ("load", "demo"), ("password", "subscriber")):
        done = CliRunner().invoke(main, [*command, "--data", str(data)], env={"CERTWRIGHT_PASSWORD": PASSWORD})
        assert done.exit_code == 0, done.output
    with (
        serving(data) as server,
        httpx.Client(
            base_url=f"{server.url}{ROOT}",
            verify=ssl.create_default_context(cafile=data / "ca.pem"),
            auth=("subscriber", PASSWORD),
            timeout=120,
        ) as client,
    ):
        request = open_request(client, DOCUMENTED)
        path = f"/requests/{request}/smartcards/{bind_card(client, request)}"
        key = client.get(f"{path}/diversifiedkey").json()
        answer = client.get(f"{path}/authenticationresponse?challenge=d61143f9ccffd2ca&diversified=true").json()
        assert client.get(f"{path}/authenticationresponse?challenge=d61143f9ccffd2").status_code == 400
        assert server.stop() == 0
        log = server.process.stderr.read() if server.process.stderr else ""
    assert "malformed-value" in log
    secrets = [key, b64decode(key).hex(), answer, b64decode(answer).hex(), "d61143f9ccffd2"]
    assert [each for each in secrets if each in log.lower() or each in log] == []
