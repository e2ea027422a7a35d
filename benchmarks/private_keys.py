"""What private keys cost the server: PFX responses, recoveries, encrypting archives anew, sealing again.

    python -m benchmarks.private_keys [--responses N] [--archived N] [--recoveries N] [--json]

Use cases on an installation as `init` makes it, on SQLite, with one caller and without HTTP: what is measured is what keys
add. Rates are of one run and say little by themselves; the shares and ratios compare.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from time import perf_counter
from uuid import UUID

from benchmarks.server import ACCOUNT, prepare_installation
from certwright.adapters.keys.pool import PooledKeyMaker
from certwright.adapters.keys.software import SoftwareKeyMaker
from certwright.application.create_request import RequestWish, create_request
from certwright.application.enroll import Submission, enroll
from certwright.application.fill_key_pool import list_missing_keys
from certwright.application.manage_agents import add_agent
from certwright.application.open_archive import archive_key, list_online_agents, open_archived
from certwright.application.rearchive_keys import Progress, rearchive_keys
from certwright.application.rotate_keys import rotate_keys
from certwright.application.server_keys import name_pending_key
from certwright.application.world import World
from certwright.bootstrap import Installation, open_installation
from certwright.domain.certificates import Certificate, SerialNumber
from certwright.domain.grants import Grant, ObjectKind, Right
from certwright.domain.identities import EVERYONE, Caller
from certwright.domain.key_ports import name_pool_kind
from certwright.domain.keys import PrivateKey
from certwright.domain.pfx import PfxProtection
from certwright.domain.policies import Policy
from certwright.domain.profile_templates import KeySpecification, ProfileTemplate, ProfileTemplateId, X509KeyUsage
from certwright.domain.public_keys import KeyAlgorithm
from certwright.domain.request_types import RequestType
from certwright.domain.requests import RequestId
from certwright.domain.workflows import Operation
from certwright.formats.pkcs12 import PfxContent, encode_pfx

ARCHIVED = ProfileTemplateId(UUID("8f31803f-8afc-49bb-911d-402ec264b589"))
"""The template of the demo world whose encryption key the server makes and archives."""
PASSWORD = "a password of a benchmark"
KINDS = {"RSA-2048": (KeyAlgorithm.RSA, 2048), "P-256": (KeyAlgorithm.ECDSA_P256, 256)}
PLACES = 30_000
"""Certificates that are put into one request to fill the archive."""
BATCH = 500


@dataclass(frozen=True)
class Responses:
    """Units: responses a second; shares of the time of one in making its key, and in protecting its PFX (PBKDF2)."""

    what: str
    per_second: float
    key_share: float
    pfx_share: float


class TimedKeyMaker:
    """Adds up how long its keys took."""

    def __init__(self, maker: SoftwareKeyMaker | PooledKeyMaker) -> None:
        self._maker = maker
        self.seconds = 0.0

    def make(self, specification: KeySpecification) -> PrivateKey:
        began = perf_counter()
        key = self._maker.make(specification)
        self.seconds += perf_counter() - began
        return key


def save_template(kind: str, number: int, installation: Installation) -> ProfileTemplate:
    """Return a template with one certificate whose key the server makes, that *ACCOUNT* may enroll for without end."""
    algorithm, bits = KINDS[kind]
    with installation.world.store.writing() as session:
        template = session.templates.get(ARCHIVED)
        made = next(each for each in template.certificate_templates if each.key.archived)
        usage = X509KeyUsage.KEY_ENCIPHERMENT if algorithm is KeyAlgorithm.RSA else X509KeyUsage.KEY_AGREEMENT
        key = replace(made.key, algorithm=algorithm, bits=bits)
        made = replace(made, key=key, key_usages=frozenset({usage}))
        policies: dict[RequestType, Policy] = dict(template.policies)
        policies[RequestType.ENROLL] = replace(policies[RequestType.ENROLL], maximum_active_profiles=0)
        identifier = ProfileTemplateId(UUID(int=number))
        alone = replace(template, id=identifier, name=kind, certificate_templates=(made,), policies=policies)
        session.directory.replace_grants(
            [
                *session.directory.load_grants(),
                *(Grant(ObjectKind.PROFILE_TEMPLATE, str(identifier), each, EVERYONE) for each in (Right.READ, Right.ENROLL)),
            ]
        )
        return session.templates.save(alone)


def find_caller(world: World) -> Caller:
    with world.store.reading() as session:
        found = next(each for each in session.directory.list_users() if each.account_name == ACCOUNT)
        principal = session.directory.find_principal(found.id)
    if principal is None:
        sys.exit(f"there is no account {ACCOUNT}")
    return Caller(principal.user, principal.sids, "benchmark")


def open_requests(template: ProfileTemplate, count: int, by: Caller, world: World) -> list[RequestId]:
    wish = RequestWish(operation=Operation.ENROLL, template_id=template.id)
    return [create_request(wish, by=by, world=world).id for _ in range(count)]


def measure_responses(
    what: str, template: ProfileTemplate, count: int, maker: TimedKeyMaker, by: Caller, world: World
) -> Responses:
    timed = replace(world, key_maker=maker)
    requests = open_requests(template, count, by, world)
    began = perf_counter()
    for each in requests:
        (delivered,) = enroll(each, Submission(certificate_requests=(), pfx_password=PASSWORD), by=by, world=timed)
        if delivered.error is not None:
            sys.exit(f"{what}: {delivered.error}")
    seconds = perf_counter() - began
    return Responses(what, count / seconds, maker.seconds / seconds, measure_pfx(requests, world) * count / seconds)


def measure_pfx(requests: Sequence[RequestId], world: World) -> float:
    """Return the seconds that protecting one PFX takes, which is PBKDF2 nearly alone."""
    with world.store.reading() as session:
        certificate = session.certificates.list_of_request(requests[0])[0]
        sealed = session.keys.find_key(name_pending_key(certificate.serial))
    if sealed is None:
        sys.exit("the key of a request that is not completed is not there")
    key = world.safe.open(sealed)
    began = perf_counter()
    for _ in requests:
        wrap(key, certificate, world)
    return (perf_counter() - began) / len(requests)


def wrap(key: PrivateKey, certificate: Certificate, world: World) -> bytes:
    content = PfxContent(
        key=key,
        certificate=certificate.encoded or b"",
        chain=world.authority.issuer.chain,
        friendly_name=certificate.template_common_name,
    )
    return encode_pfx(content, PASSWORD, protection=PfxProtection.AES_256, iterations=world.pfx.iterations)


def fill_pool(kind: KeySpecification, size: int, world: World) -> None:
    for each in list_missing_keys(size, sizes={kind: size}, maker=SoftwareKeyMaker(), world=world):
        each.carry_out()


def fill_archive(template: ProfileTemplate, count: int, by: Caller, world: World) -> list[SerialNumber]:
    """Archive *count* keys of one certificate under numbers of their own, and return those."""
    key = SoftwareKeyMaker().make(template.certificate_templates[0].key)
    numbers, requests = (
        [SerialNumber(2**150 + each) for each in range(count)],
        open_requests(template, count // PLACES + 1, by, world),
    )
    (source,) = open_requests(template, 1, by, world)
    enroll(
        source,
        Submission(certificate_requests=(), pfx_password=PASSWORD),
        by=by,
        world=replace(world, key_maker=SameKeyMaker(key)),
    )
    with world.store.reading() as session:
        (model,) = session.certificates.list_of_request(source)
        agents = session.archive.list_agents()
    for start in range(0, count, BATCH):
        serials = numbers[start : start + BATCH]
        archived = world.workshop.each(lambda each: archive_key(key, each, agents, world), serials)
        with world.store.writing() as session:
            places = range(start, start + len(serials))
            session.certificates.add(
                replace(model, serial=serial, request_id=requests[place // PLACES], place=place % PLACES)
                for serial, place in zip(serials, places, strict=True)
            )
            session.archive.add(archived)
    return numbers


class SameKeyMaker:
    """Makes one key only, so that the certificates of an archive full of it fit."""

    def __init__(self, key: PrivateKey) -> None:
        self._key = key

    def make(self, _specification: KeySpecification) -> PrivateKey:
        return self._key


def measure_recoveries(serials: Sequence[SerialNumber], count: int, world: World) -> float:
    """Return recoveries a second: find an archived key, open it with the agent's, wrap it as PFX."""
    wanted = Random(1).choices(serials, k=count)
    began = perf_counter()
    for serial in wanted:
        with world.store.reading() as session:
            archived, certificate = session.archive.find(serial), session.certificates.find(serial)
            agents = list_online_agents(session)
        if archived is None or certificate is None:
            sys.exit("an archived key is not there")
        found = open_archived(archived, certificate, agents, world)
        if found is None:
            sys.exit("no agent opens an archived key")
        wrap(found.key, certificate, world)
    return count / (perf_counter() - began)


class Enough(Exception):
    """Breaks off what can be broken off."""


def measure_rearchiving(installation: Installation, count: int) -> float:
    """Return keys a second that are encrypted anew, to two agents instead of one; broken off after *count*."""
    world = installation.world
    add_agent(installation.make_agent("second"), operator="benchmark", world=world)
    seen: list[Progress] = []

    def look(progress: Progress) -> None:
        seen.append(progress)
        if progress.done >= count:
            raise Enough

    def run() -> int:
        with suppress(Enough):
            rearchive_keys(operator="benchmark", world=world, tell=look)
        return seen[-1].done

    return _rate(run)


def measure_rotation(installation: Installation) -> float:
    """Return values a second that are sealed again under a new version of the key-encryption key."""
    return _rate(
        lambda: rotate_keys(keyring=installation.keyring, files=(), operator="benchmark", world=installation.world).resealed
    )


def _rate(work: Callable[[], int]) -> float:
    began = perf_counter()
    done = work()
    return done / (perf_counter() - began)


def measure(responses: int, archived: int, recoveries: int, data: Path) -> dict[str, object]:
    prepare_installation(data, "P-256")
    with open_installation(data) as installation:
        world = installation.world
        by = find_caller(world)
        rsa, curve = (save_template(kind, number, installation) for number, kind in enumerate(KINDS, start=0xBE_00))
        kind = rsa.certificate_templates[0].key
        fill_pool(kind, responses, world)
        pooled = PooledKeyMaker(world.store, world.safe, SoftwareKeyMaker(), frozenset({name_pool_kind(kind)}))
        lines = [
            measure_responses("RSA-2048", rsa, responses, TimedKeyMaker(SoftwareKeyMaker()), by, world),
            measure_responses("RSA-2048 from the pool", rsa, responses, TimedKeyMaker(pooled), by, world),
            measure_responses("P-256", curve, responses, TimedKeyMaker(SoftwareKeyMaker()), by, world),
        ]
        serials = fill_archive(rsa, archived, by, world)
        return {
            "responses": [vars(each) for each in lines],
            "pool_ratio": lines[1].per_second / lines[0].per_second,
            "archived": archived,
            "recoveries_per_second": measure_recoveries(serials, recoveries, world),
            "rearchived_per_second": measure_rearchiving(installation, recoveries),
            "resealed_per_second": measure_rotation(installation),
        }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--responses", type=int, default=200)
    parser.add_argument("--archived", type=int, default=100_000)
    parser.add_argument("--recoveries", type=int, default=1_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="certwright-benchmark-") as folder:
        result = measure(options.responses, options.archived, options.recoveries, Path(folder))
    if options.json:
        print(json.dumps(result))
        return
    for each in result["responses"]:  # type: ignore[attr-defined]
        print(
            f"{each['what']:24} {each['per_second']:8.1f} PFX responses/s"
            f"   making the key {each['key_share']:4.0%}   protecting the PFX {each['pfx_share']:4.0%}"
        )
    print(f"{'pool / no pool':24} {result['pool_ratio']:8.2f}")
    print(f"recoveries from {result['archived']:,} archived keys: {result['recoveries_per_second']:.1f}/s")
    print(
        f"archives encrypted anew: {result['rearchived_per_second']:.1f}/s; sealed again: {result['resealed_per_second']:.1f}/s"
    )


if __name__ == "__main__":
    main()
