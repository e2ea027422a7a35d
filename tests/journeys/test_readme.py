"""The README shows what the demo prints, and what it says to ask a running server is answered."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from worlds.commands import PROGRAM, TIMEOUT_SECONDS, certwright
from worlds.pages import REPOSITORY, reading
from worlds.served import PASSWORD

ADDRESS = "Serving on https://localhost:"
PACKAGES = REPOSITORY / "scripts" / "install-test-programs"


@contextmanager
def demonstrating(folder: Path) -> Iterator[tuple[str, str]]:
    """Run the demo as ``make run`` does until the block ends; give what it prints until it waits, and its port."""
    words = [PROGRAM, "demo", "--data", "data", "--port", "0"]
    with subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            told = ""
            for line in process.stdout or ():
                told += line
                if line.startswith(ADDRESS) and "until Ctrl-C" in line:
                    break
            yield told, told.rpartition(ADDRESS)[2].partition(" ")[0]
            process.terminate()
            assert process.wait(TIMEOUT_SECONDS) == 0
        finally:
            process.kill()


def test_the_readme_shows_what_the_demo_prints_and_its_calls_are_answered(tmp_path: Path) -> None:
    folder, scripts = tmp_path / "reader", tmp_path / "scripts"
    for each in (folder, scripts):
        each.mkdir()
    (folder / ".venv").symlink_to(Path(sys.executable).parent.parent)
    with (
        demonstrating(folder) as (told, port),
        reading("README.md", folder, {"localhost:8443": f"localhost:{port}"}, scripts) as reader,
    ):
        assert reader.pass_over("apt install").split() == ["apt", "install", "make", "git", "python3-venv"]
        assert reader.pass_over("git clone").endswith("make run\n")
        reader.pass_over("make test")
        reader.see(told, says="Accounts")
        done = certwright("password", "subscriber", "--data", folder / "data", variables={"CERTWRIGHT_PASSWORD": PASSWORD})
        assert done.returncode == 0, done.stderr
        assert '"Name":"Software Certificate"' in reader.run("curl")
    assert (folder / "certificates" / "software-certificate.pem").exists()


def test_the_readme_names_each_package_that_tests_install() -> None:
    needed = {line.split()[2] for line in PACKAGES.read_text().splitlines() if line.startswith("need ")} | {"postgresql"}
    readme = (REPOSITORY / "README.md").read_text("utf-8")
    named = readme.partition("does not find:")[2].partition(", and leaves")[0]
    assert {each.strip("`,") for each in named.split() if each.startswith("`")} == needed
