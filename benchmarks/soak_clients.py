"""Clients of a soak: each enrolls again and again, and repeats what was not answered, as the documentation says."""

import base64
import random
import ssl
from collections import Counter
from pathlib import Path
from threading import Event, Lock, Thread
from time import monotonic, sleep

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from benchmarks.requests import make_certificate_requests
from benchmarks.server import ACCOUNT, TEMPLATES
from benchmarks.soak_audit import Answered

API = "/CertificateManagement/api/v1.0"
KEY = "P-256"
CALL_SECONDS = 30
REPEAT_SECONDS = 0.2
PATIENCE_SECONDS = 180
UNAVAILABLE = 503


class Stuck(Exception):
    """A call was repeated for as long as anybody would."""


class Clients:
    """Several clients, each in a thread; *answered* is what all of them got, by the GUID of the request without hyphens.

    Units: *pace_seconds* between two enrollments of a client.
    """

    def __init__(self, port: int, authority: Path, password: str, count: int, seed: int, pace_seconds: float) -> None:
        self._base = f"https://localhost:{port}{API}"
        self._tls = ssl.create_default_context(cafile=authority)
        self._password = password
        self._ending = Event()
        self._lock = Lock()
        self._random = random.Random(seed)
        self._pace_seconds = pace_seconds
        self.answered: dict[str, Answered] = {}
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []
        self._wanted: dict[str, str] = {}
        self._threads = [Thread(target=self._run, args=(make_certificate_requests(KEY),)) for _ in range(count)]

    def start(self) -> None:
        """Begin to enroll."""
        for each in self._threads:
            each.start()

    def end(self) -> None:
        """Let each finish what it has begun."""
        self._ending.set()
        for each in self._threads:
            each.join()

    def finish(self, requests: list[str]) -> list[str]:
        """Post and complete *requests*, of which no client knows, or which none could finish; return those that cannot be."""
        stuck, wanted = [], make_certificate_requests(KEY)
        with self._http() as http:
            for at, request in enumerate(requests):
                # A certificate that was stored for a post without an answer is for the key of that post.
                mine = self._wanted.get(request, wanted[at % len(wanted)])
                try:
                    self._finish(http, request, mine)
                except Stuck as error:
                    stuck.append(f"{request}: {error}")
        return stuck

    def _run(self, wanted: list[str]) -> None:
        with self._http() as http:
            while not self._ending.is_set():
                try:
                    self._enroll(http, self._random.choice(wanted))
                except Stuck as error:
                    self.faults.append(str(error))
                sleep(self._pace_seconds)

    def _enroll(self, http: httpx.Client, wanted: str) -> None:
        body = {"type": "Enroll", "profiletemplateuuid": TEMPLATES[KEY], "datacollection": [], "comment": ""}
        opened = self._call(http, "POST", "/requests", body, 201)
        request = str(opened.json()).rpartition("/")[2].replace("-", "")
        with self._lock:
            self._wanted[request] = wanted
        self._finish(http, request, wanted)

    def _finish(self, http: httpx.Client, request: str, wanted: str) -> None:
        path = f"/requests/{request[:8]}-{request[8:12]}-{request[12:16]}-{request[16:20]}-{request[20:]}"
        body = {"pfxpassword": "", "certificaterequests": [wanted]}
        for _ in range(self._random.choice((1, 1, 1, 2))):
            answer = self._call(http, "POST", f"{path}/certificatedata", body, 200).json()[0]
            if answer["Error"] is not None:
                raise Stuck(f"{path}: {answer['Error']}")
            with self._lock:
                got = self.answered.setdefault(request, Answered(_read_key(wanted)))
            got.answers.append(base64.b64decode(answer["Pkcs7"]))
            self.counts["posts answered"] += 1
        self._call(http, "PUT", path, {"status": "Completed"}, 200)
        self.counts["enrollments"] += 1

    def _call(self, http: httpx.Client, method: str, path: str, body: object, expected: int) -> httpx.Response:
        """Return the answer, after as many tries as it takes. Errors: Stuck."""
        deadline = monotonic() + PATIENCE_SECONDS
        said = ""
        while monotonic() < deadline:
            try:
                answer = http.request(method, path, json=body)
            except httpx.TransportError as error:
                said = repr(error)
                self._note("not answered", path)
            else:
                if answer.status_code == expected:
                    return answer
                said = f"{answer.status_code} {answer.text[:200]}"
                if answer.status_code != UNAVAILABLE:
                    self._note(f"answered {answer.status_code}", path)
                    raise Stuck(f"{method} {path}: {said}")
                self._note(f"refused: {answer.json().get('ErrorCode', '')}", path)
            sleep(REPEAT_SECONDS)
        raise Stuck(f"{method} {path}: {said}")

    def _note(self, what: str, path: str) -> None:
        with self._lock:
            self.counts[what] += 1
            self.counts["repeated"] += 1
            self.counts["repeated posts of certificate requests"] += path.endswith("/certificatedata")

    def _http(self) -> httpx.Client:
        auth = httpx.BasicAuth(ACCOUNT, self._password)
        return httpx.Client(base_url=self._base, verify=self._tls, auth=auth, timeout=CALL_SECONDS, trust_env=False)

    def count_refused(self) -> int:
        """Return how many calls were refused because the store was not available."""
        return sum(count for what, count in self.counts.copy().items() if what.startswith("refused"))


def _read_key(request: str) -> bytes:
    key = x509.load_der_x509_csr(base64.b64decode(request)).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
