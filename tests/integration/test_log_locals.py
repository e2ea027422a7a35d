"""What a program was doing when something went wrong is told without the values it was doing it with.

A function of each layer is given a password and something it cannot work with, so that the password is a local variable of its
frame; then the error goes into the log, in each form, on a terminal and without one.
"""

import os
import pty
import subprocess
import sys

import pytest

from certwright.settings import LogForm

SECRET = "Sesame-5f1c-open"
PROGRAM = """
import logging, sys
from types import SimpleNamespace

import structlog

from certwright.adapters.signin.argon2 import Argon2Hasher
from certwright.application.set_password import set_password
from certwright.client.rest import RestClient, Server
from certwright.domain.account_names import find_named
from certwright.formats.spoken_codes import encode_spoken
from certwright.settings import LogForm, LogSettings
from certwright.wire.cli.logs import configure_first_logs, configure_logs
from certwright.wire.rest.sign_in import parse_authorization

form, where, secret = sys.argv[1:]
if form == "first":
    configure_first_logs()
else:
    configure_logs(LogSettings(form=LogForm(form)))
LAYERS = {
    "wire/rest": lambda: parse_authorization([secret], secret),
    "application": lambda: set_password("alice", secret, operator="", world=None, hasher=SimpleNamespace(hash=str)),
    "domain": lambda: find_named(secret, None),
    "formats": lambda: encode_spoken(secret),
    "adapters/signin": lambda: Argon2Hasher().is_match(secret, 5),
    "client": lambda: RestClient(Server(url=b"http://[", user="alice", password=secret)),
}
try:
    LAYERS[where]()
except Exception:
    structlog.get_logger().exception("ours")
    logging.getLogger("library").exception("theirs")
else:
    sys.exit("nothing went wrong")
"""
LAYERS = ["wire/rest", "application", "domain", "formats", "adapters/signin", "client"]


def run_on_pipe(*arguments: str) -> str:
    done = subprocess.run([sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


def run_on_terminal(*arguments: str) -> str:
    """Return what a person sees who runs the program."""
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb") as screen:
        process = subprocess.Popen([sys.executable, "-c", PROGRAM, *arguments], stderr=theirs)
        os.close(theirs)
        shown = bytearray()
        while True:
            try:
                piece = os.read(screen.fileno(), 65_536)
            except OSError:
                # Linux: the other end of a terminal was closed.
                break
            if not piece:
                break
            shown += piece
        assert process.wait(120) == 0, shown
    return shown.decode()


@pytest.mark.parametrize("where", LAYERS)
@pytest.mark.parametrize("form", [LogForm.JSON, LogForm.TEXT])
def test_no_form_of_the_log_has_values_of_local_variables(form: LogForm, where: str) -> None:
    written = run_on_pipe(form.value, where, SECRET)
    assert f"certwright/{where}" in written
    assert SECRET not in written


@pytest.mark.parametrize("where", LAYERS)
@pytest.mark.parametrize("form", [LogForm.AUTO.value, "first"])
def test_a_terminal_shows_no_values_of_local_variables(form: str, where: str) -> None:
    written = run_on_terminal(form, where, SECRET)
    assert "Traceback" in written
    assert f"certwright/{where}" in written
    assert SECRET not in written
