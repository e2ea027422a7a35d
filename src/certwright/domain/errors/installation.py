"""The server's own keys, database, secrets and address."""

from dataclasses import dataclass

from certwright.domain.errors.moments import WrongState
from certwright.domain.errors.tree import Unavailable


@dataclass(eq=False)
class KeyUnavailable(Unavailable):
    """A private key of the server cannot be opened or used."""

    code = "key-unavailable"
    sentence = "The key {name} cannot be used: wrong passphrase, or not of this installation."
    name: str


@dataclass(eq=False)
class KeyVersionUnavailable(Unavailable):
    """What a value was sealed under is not there, or closed. *detail* says which of the two, and what to do."""

    code = "key-version-unavailable"
    sentence = "Version {version} of the key-encryption key {detail}."
    version: int
    detail: str


@dataclass(eq=False)
class SealedByPassphrase(WrongState):
    """A passphrase cannot be changed while values are sealed by it directly."""

    code = "sealed-by-passphrase"
    sentence = "Values that are still sealed by the passphrase itself: {count}. Run certwright keys rotate first."
    count: int


@dataclass(eq=False)
class StoreUnavailable(Unavailable):
    """The database does not answer, or not for this version of the server."""

    code = "store-unavailable"
    sentence = "The database cannot be used: {detail}."
    detail: str


@dataclass(eq=False)
class StoredRowAltered(Unavailable):
    """A row was changed or added past the server; nothing is decided by it. *kind* and *key* say which."""

    code = "stored-row-altered"
    sentence = "The stored {kind} {key} is not as this installation wrote it: run certwright audit verify, and restore it."
    kind: str
    key: str


@dataclass(eq=False)
class RootCertificateDiffers(Unavailable):
    """The file that clients' copies of the root are made of is not the root that the database has; it is not replaced."""

    code = "root-certificate-differs"
    sentence = (
        "{path} is not the root certificate of the database: run certwright audit verify and restore what was changed; "
        "where the file is wrong, remove it, and it is written again."
    )
    path: str


@dataclass(eq=False)
class InstallationMissing(Unavailable):
    """A command was given a folder in which nothing was installed, or not to the end."""

    code = "installation-missing"
    sentence = "There is no installation in {folder}: make one with: certwright init --data {folder}"
    folder: str


@dataclass(eq=False)
class InstallationExists(WrongState):
    """What is there is never overwritten."""

    code = "installation-exists"
    sentence = (
        "There is an installation in {folder} already: name another folder, or start it with: certwright serve --data {folder}"
    )
    folder: str


@dataclass(eq=False)
class NotOfDemo(WrongState):
    """The demo changes only what it has made itself."""

    code = "not-of-demo"
    sentence = (
        "The installation in {folder} was not made by certwright demo, which leaves it as it is: name another folder with "
        "--data, or start it with: certwright serve --data {folder}"
    )
    folder: str


@dataclass(eq=False)
class SecretUnavailable(Unavailable):
    """The place that the settings name for a secret is empty or closed. *place* is that name, never the secret."""

    code = "secret-unavailable"
    sentence = "The secret {place} cannot be read: {detail}."
    place: str
    detail: str


@dataclass(eq=False)
class AddressUnavailable(Unavailable):
    """The server cannot listen where it should."""

    code = "address-unavailable"
    sentence = "The server cannot listen on {address}: {detail}. Choose another one with --port or --host, or in the settings."
    address: str
    detail: str


@dataclass(eq=False)
class ServingFailed(Unavailable):
    """One of the processes that serve ended before it served."""

    code = "serving-failed"
    sentence = "The server did not start: one of its processes ended. The log says why."


@dataclass(eq=False)
class TlsFilesUnavailable(Unavailable):
    """The files of the server's TLS certificate cannot be read or written."""

    code = "tls-files-unavailable"
    sentence = "The server's TLS certificate cannot be kept: {path}: {detail}. Let the server's account write there."
    path: str
    detail: str


@dataclass(eq=False)
class TlsCertificateMissing(Unavailable):
    """The server has no TLS certificate, and its authority can issue none."""

    code = "tls-certificate-missing"
    sentence = (
        "The server has no TLS certificate, and the issuing authority has ended. Serve plain HTTP behind a proxy of this "
        "machine that has one: certwright serve --http."
    )


@dataclass(eq=False)
class CheckpointUnavailable(Unavailable):
    """A place outside of the database did not take what is told of the newest seal; it is told again with the next one."""

    code = "checkpoint-unavailable"
    sentence = "The checkpoint of seal {number} was not taken by {place}: {detail}."
    number: int
    place: str
    detail: str
