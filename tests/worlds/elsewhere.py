"""Certificates of another authority, made by openssl."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

FILE_PASSWORD = "the password of the file"
KEYS = {
    "p-256": "-newkey ec -pkeyopt ec_paramgen_curve:P-256",
    "p-521": "-newkey ec -pkeyopt ec_paramgen_curve:P-521",
    "rsa:1024": "-newkey rsa:1024",
    "rsa:2048": "-newkey rsa:2048",
    "ed25519": "-newkey ed25519",
}

END_ENTITY = "-days 365 -extfile end.cnf"


@dataclass(frozen=True)
class Elsewhere:
    """An authority in a folder. What it issues to NAME is in NAME.pem, NAME.der, NAME.key and, with the chain, NAME.p12."""

    folder: Path

    def issue(self, name: str, key: str = "p-256") -> None:
        """Make everything that a person has of the authority."""
        self.run(f"openssl req -new {KEYS[key]} -nodes -keyout {name}.key -out {name}.csr -subj /O=Elsewhere/CN={name}")
        self.certify(name, f"{name}.pem")
        self.run(f"openssl x509 -in {name}.pem -outform DER -out {name}.der")
        self.pack(name)

    def certify(self, name: str, file: str) -> None:
        """Make one more certificate for the key of NAME."""
        self.run(f"openssl x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial {END_ENTITY} -out {file}")

    def pack(self, name: str, *extra: str) -> None:
        """Make NAME.p12 again, with other options."""
        command = f"openssl pkcs12 -export -in {name}.pem -inkey {name}.key -certfile ca.pem -out {name}.p12".split()
        self._run([*command, "-passout", f"pass:{FILE_PASSWORD}", *extra])

    def read(self, file: str) -> bytes:
        """Return the content of a file."""
        return (self.folder / file).read_bytes()

    def run(self, command: str) -> bytes:
        """Run a command in the folder."""
        return self._run(command.split())

    def _run(self, command: list[str]) -> bytes:
        return subprocess.run(command, cwd=self.folder, check=True, capture_output=True).stdout


def found_elsewhere(folder: Path) -> Elsewhere:
    """Return a new authority in *folder*."""
    made = Elsewhere(folder)
    (folder / "end.cnf").write_text("basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\n")
    made.run(f"openssl req -x509 {KEYS['p-256']} -nodes -keyout ca.key -out ca.pem -subj /CN=Elsewhere -days 365")
    return made
