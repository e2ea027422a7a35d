"""Logs of several processes on one standard error."""

import json
import socket
import subprocess
import sys

import pytest

from certwright.settings import LogForm

TELL = """
import logging, sys, structlog
from certwright.settings import LogForm, LogSettings
from certwright.wire.cli.logs import configure_logs

configure_logs(LogSettings(form=LogForm(sys.argv[1])))
structlog.get_logger().warning("ours", number=1)
logging.getLogger("library").warning("theirs")
"""


@pytest.mark.parametrize("form", [LogForm.JSON, LogForm.TEXT])
def test_a_line_is_written_in_one_go(form: LogForm) -> None:
    # On such a pair of sockets everything that is written is received as it was written, in one piece.
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        subprocess.run([sys.executable, "-c", TELL, form.value], stderr=theirs, check=True)
        written = [ours.recv(1_000).decode() for _ in range(2)]
    assert [each.count("\n") for each in written] == [1, 1]
    assert all(each.endswith("\n") for each in written)
    if form is LogForm.JSON:
        assert [json.loads(each)["event"] for each in written] == ["ours", "theirs"]
