"""The server's own TLS certificate over the years: renewed in time, and kept when its authority has ended."""

import asyncio
import ssl
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from certwright.adapters.authorities.tls_folder import TlsFolder
from certwright.adapters.sql.schema import migrate
from certwright.adapters.sql.store import open_store
from certwright.bootstrap_tls import ServerTls
from certwright.domain.errors import TlsCertificateMissing, TlsFilesUnavailable
from certwright.server_settings import ServerSettings
from certwright.wire.cli.tls_renewal import TlsRenewal
from worlds.authorities import KEK, make_hierarchy
from worlds.house import House, found_house

SETTINGS = ServerSettings()


@pytest.fixture
def house(tmp_path: Path) -> House:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    migrate(url)
    return found_house(open_store(url))


@pytest.fixture
def tls(house: House, tmp_path: Path) -> ServerTls:
    return open_tls(house, tmp_path / "tls")


def open_tls(house: House, folder: Path) -> ServerTls:
    return ServerTls(TlsFolder(folder, KEK), SETTINGS, make_hierarchy().issuing_key, house.world)


def check_opens(tls: ServerTls) -> None:
    files = tls.open()
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(files.identity, password=files.password)


def test_certificate_is_renewed_once_near_its_end(house: House, tls: ServerTls) -> None:
    assert tls.renew()
    first, version = tls.find_end(), tls.find_version()
    assert not tls.renew()
    house.clock.step(timedelta(days=397) - SETTINGS.tls_renew_before + timedelta(days=1))
    assert tls.renew()
    assert not tls.renew()
    second = tls.find_end()
    assert first is not None
    assert second is not None
    assert second > first
    assert tls.find_version() != version
    check_opens(tls)


def test_in_the_last_days_of_the_authority_the_certificate_is_renewed_once(house: House, tls: ServerTls) -> None:
    end = house.world.authority.issuer.not_after
    house.clock.step(end - house.clock.now() - timedelta(days=20))
    assert tls.renew()
    assert tls.find_end() == end.replace(microsecond=0)
    for _ in range(5):
        house.clock.step(timedelta(days=3))
        assert not tls.renew()


def test_certificate_stays_when_the_authority_has_ended(house: House, tls: ServerTls, tmp_path: Path) -> None:
    tls.renew()
    house.clock.step(house.world.authority.issuer.not_after - house.clock.now() + timedelta(days=1))
    assert not tls.renew()
    check_opens(tls)
    with pytest.raises(TlsCertificateMissing):
        open_tls(house, tmp_path / "empty").renew()


@pytest.mark.parametrize("name", ["server.pem", "server.password.sealed"])
def test_junk_in_the_folder_is_replaced(name: str, tls: ServerTls, tmp_path: Path) -> None:
    tls.renew()
    (tmp_path / "tls" / name).write_bytes(b"junk \xff\xfe")
    assert tls.renew()
    check_opens(tls)


class WatchedContext(ssl.SSLContext):
    """A context that notes in which thread it was loaded."""

    loaded_in: list[int]

    def load_cert_chain(self, *arguments: Any, **named: Any) -> None:
        self.loaded_in.append(threading.get_ident())
        super().load_cert_chain(*arguments, **named)


def test_no_handshake_comes_between_certificate_and_key_of_one_that_is_loaded(tls: ServerTls, tmp_path: Path) -> None:
    tls.renew()
    context = WatchedContext(ssl.PROTOCOL_TLS_SERVER)
    context.loaded_in = []
    renewal = TlsRenewal(tls, context, timedelta(minutes=1), renews=True)
    reader = TlsRenewal(tls, context, timedelta(minutes=1), renews=False)
    asyncio.run(renewal.look())
    assert context.loaded_in == []
    identity = tmp_path / "tls" / "server.pem"
    whole = identity.read_bytes()
    # A certificate whose key is missing: the context keeps what it has.
    identity.write_bytes(whole.partition(b"-----BEGIN ENCRYPTED")[0])
    with pytest.raises(OSError, match="PEM"):
        asyncio.run(reader.look())
    assert context.loaded_in == []
    asyncio.run(renewal.look())
    asyncio.run(reader.look())
    assert context.loaded_in == [threading.get_ident()] * 2


def test_folder_that_is_a_file_is_a_sentence(house: House, tmp_path: Path) -> None:
    (tmp_path / "tls").write_text("no folder")
    with pytest.raises(TlsFilesUnavailable, match="The server's TLS certificate cannot be kept"):
        open_tls(house, tmp_path / "tls").renew()


def test_files_that_are_missing_are_a_sentence(tls: ServerTls) -> None:
    with pytest.raises(TlsFilesUnavailable, match="No such file"):
        tls.open()
