"""What serving does without: each of these would be in the memory of a server for as long as it runs."""

import subprocess
import sys


def test_serving_does_not_import_what_only_making_an_installation_needs() -> None:
    program = "import sys, certwright.wire.cli.serving; print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    imported = set(shown.split())
    assert "certwright.bootstrap" in imported
    assert not imported & {"alembic", "mako", "certwright.bootstrap_creation", "certwright.adapters.sql.schema"}
