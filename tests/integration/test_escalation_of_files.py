"""Each way to become somebody else that a template file could open, through the loader of `templates import`."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from certwright.application.import_templates import import_templates
from certwright.application.load_world import load_file
from certwright.bootstrap import Installation, open_installation
from certwright.bootstrap_creation import create_installation
from certwright.domain.errors import EscalationPath, Refused, RulesBroken
from certwright.wire.cli.definition_files import read_definition_file
from certwright.wire.cli.load import load_world_file

Take = Callable[[Path, Installation], None]
ORDINARY = """
[[certificate_templates]]
common_name = "Probe"
{certificate}

[[profile_templates]]
name = "Probe"
certificate_templates = ["Probe"]
rights = {{ read = ["everyone"], enroll = ["{enrolling}"] }}

[profile_templates.policies.enroll]
self_service = true
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("escalation") / "data"
    folder.mkdir()
    (folder / "certwright.toml").write_text('[authority]\nroot_key = "p-256"\nissuing_key = "p-256"\n')
    create_installation(folder)
    with open_installation(folder) as opened:
        load_world_file("demo", opened)
    return folder


@pytest.fixture
def installation(installed: Path, tmp_path: Path) -> Iterator[Installation]:
    with open_installation(shutil.copytree(installed, tmp_path / "data")) as opened:
        yield opened


def write(folder: Path, certificate: str = "", enrolling: str = "Subscribers") -> Path:
    file = folder / "probe.toml"
    file.write_text(ORDINARY.format(certificate=certificate, enrolling=enrolling))
    return file


def list_names(installation: Installation) -> list[str]:
    with installation.world.store.reading() as session:
        return [each.name for each in session.templates.list_newest()]


def bring_in(file: Path, installation: Installation) -> None:
    import_templates(*read_definition_file(str(file)), operator="root", world=installation.world)


def load(file: Path, installation: Installation) -> None:
    text, name = read_definition_file(str(file))
    load_file(f'[domain]\nname = "CORP"\n{text}', name, operator="root", world=installation.world)


@pytest.mark.parametrize("take", [bring_in, load])
def test_a_file_that_opens_no_path_is_taken(installation: Installation, tmp_path: Path, take: Take) -> None:
    take(write(tmp_path), installation)
    assert "Probe" in list_names(installation)


@pytest.mark.parametrize("take", [bring_in, load])
@pytest.mark.parametrize(
    ("path", "certificate", "enrolling"),
    [
        ("ESC1", 'subject = "request"', "Subscribers"),
        ("ESC1", 'subject = "request"\nextended_key_usages = ["1.3.6.1.5.5.7.3.1"]', "Subscribers"),
        ("ESC2", "extended_key_usages = []", "Subscribers"),
        ("ESC2", 'extended_key_usages = ["2.5.29.37.0"]', "Subscribers"),
        ("ESC3", 'extended_key_usages = ["1.3.6.1.4.1.311.20.2.1"]', "Subscribers"),
        ("ESC9", "include_security_identifier = false", "Subscribers"),
        ("ESC13", 'certificate_policies = ["1.3.6.1.4.1.32473.1"]', "Subscribers"),
        ("ESC13", 'certificate_policies = ["2.5.29.32.0"]', "Subscribers"),
        ("reserved", 'extended_key_usages = ["1.3.6.1.5.5.7.3.9"]', "Subscribers"),
        ("everyone", "", "everyone"),
    ],
)
def test_a_file_that_opens_a_path_is_refused_whole(
    installation: Installation, tmp_path: Path, path: str, certificate: str, enrolling: str, take: Take
) -> None:
    before = list_names(installation)
    with pytest.raises(Refused) as refused:
        take(write(tmp_path, certificate, enrolling), installation)
    broken = refused.value.broken if isinstance(refused.value, RulesBroken) else (refused.value,)
    found = [each for each in broken if isinstance(each, EscalationPath)]
    assert {each.path for each in found} == {path}
    assert all(each.where.startswith("probe.toml") for each in found)
    assert list_names(installation) == before
