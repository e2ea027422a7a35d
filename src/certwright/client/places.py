"""Keys that the client makes, one for each certificate request of an enrollment, and the files that they are in meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from certwright.client.enrolled import add_suffix
from certwright.client.files import KEY, PRIVATE_MODE, NewFiles
from certwright.client.keys import PrivateKey, encode_certificate_request, encode_private_key, generate_key
from certwright.client.rest import GenerationOptions


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """One key with its request and the name of its files, before the answer.

    Shape: *sent_file* has the request while its answer is not there; None where the request is not to be resumed.
    """

    key: PrivateKey
    request: str
    path: Path
    sent_file: Path | None = None

    @property
    def key_file(self) -> Path:
        """Return where the key is."""
        return add_suffix(self.path, KEY)


def prepare_places(
    options: Sequence[GenerationOptions], stem: str, files: NewFiles, *, resumed: UUID | None = None
) -> list[KeyPlace]:
    """Return a place for each of *options*, with its key on the disk.

    A request *resumed* may have been sent before, by a run whose answer was lost: the server answers the same certificate
    requests with the same certificates, so those are taken that are still in the folder.

    Errors: FileExists; OSError; AnswerUnfit for a key that cannot be made.
    """
    return [
        _prepare(each, files.folder / name_file(stem, number, len(options)), files, resumed)
        for number, each in enumerate(options, start=1)
    ]


def name_file(stem: str, number: int, count: int) -> str:
    """Return what the files of one of *count* certificates are called, without their suffixes."""
    return stem if count == 1 else f"{stem}-{number}"


def make_stem(template: str) -> str:
    """Return the beginning of all file names of a template."""
    return "".join(each if each.isalnum() else "-" for each in template.lower())


def _prepare(options: GenerationOptions, path: Path, files: NewFiles, resumed: UUID | None) -> KeyPlace:
    sent_file = None if resumed is None else add_suffix(path, f".{resumed}.request")
    if sent_file is not None and sent_file.exists():
        kept = _find_kept(path, sent_file)
        if kept is not None:
            return kept
    key = generate_key(options)
    place = KeyPlace(key, encode_certificate_request(key, options), path, sent_file)
    files.write(place.key_file, encode_private_key(key), PRIVATE_MODE)
    if sent_file is not None:
        files.write(sent_file, place.request.encode())
    return place


def _find_kept(path: Path, sent_file: Path) -> KeyPlace | None:
    """Return the place that an earlier run has left, or None when its key is not there any more."""
    try:
        key = load_pem_private_key(add_suffix(path, KEY).read_bytes(), None)
    except (OSError, ValueError):
        return None
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        return None
    return KeyPlace(key, sent_file.read_bytes().decode("ascii", errors="replace"), path, sent_file)
