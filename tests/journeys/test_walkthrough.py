"""The documented enrollment of a virtual card, step by step, as printed but for what cannot work.

A program plays the card: it believes no answer that it did not work out itself. Two values of the walkthrough are ours: the
challenge, of which the documentation prints seven octets, and the certificate request, which it cuts short.
"""

import json
from base64 import b64decode, b64encode
from typing import Any
from urllib.parse import quote

import httpx

from worlds.card_steps import ACTIVE, ASSIGNED, NOBODY, PRIMARY
from worlds.contoso import VECTORS
from worlds.openssl import as_base64, request_of, verify_response
from worlds.rest_steps import responses_of
from worlds.served import Served
from worlds.software_card import SoftwareCard

STEPS = [
    each for each in json.loads((VECTORS / "rest_examples.json").read_text()) if each["page"] == "sample-enrollment-walkthrough"
]
REQUEST, CARD, SMARTCARD = (
    "C6BAD97C-F97F-4920-8947-BE980C98C6B5",
    "23CADD5F-020D-4C3B-A5CA-307B7A06F9C9",
    "D700D97C-F91F-4930-8947-BE980C98A644",
)
"""The identifiers that the documentation prints where a server makes its own."""


class Walk:
    """The steps as they are printed, one after the other, with this server's identifiers in the place of the printed ones."""

    def __init__(self, client: httpx.Client, card: SoftwareCard) -> None:
        self._client = client
        self._steps = iter(STEPS)
        self._ours: dict[str, str] = {CARD: card.card_id.upper()}

    def learn(self, printed: str, ours: str) -> None:
        """Take note of what an identifier is here."""
        self._ours[printed] = ours.upper()

    def step(self, method: str, ending: str, body: Any = None, challenge: str = "") -> httpx.Response:
        """Do the next step, which has to be this one, and return its answer."""
        printed = next(self._steps)
        assert printed["method"] == method
        assert printed["path"].lower().endswith(ending.lower()), printed["path"]
        path = self._translate(printed["path"]).replace("CFAA62118BBD25", quote(challenge, safe=""))
        sent = printed["request"] if body is None else body
        content = None if sent is None else self._translate(sent if isinstance(sent, str) else json.dumps(sent))
        # Blanks of the printed addresses go over the wire as what they are.
        url = self._client.base_url.copy_with(raw_path=path.replace(" ", "%20").encode())
        headers = {"Content-Type": "application/json"} if content else {}
        answer = self._client.request(method, url, content=content, headers=headers)
        assert answer.status_code in (200, 201), (path, answer.text)
        return answer

    def _translate(self, text: str) -> str:
        for printed, ours in self._ours.items():
            text = text.replace(printed, ours)
        return text

    def is_over(self) -> bool:
        """Return whether every printed step was taken."""
        return next(self._steps, None) is None


def test_the_documented_enrollment_goes_as_it_is_printed(subscriber: httpx.Client, served: Served) -> None:
    card = SoftwareCard()
    walk = Walk(subscriber, card)

    templates = walk.step("GET", "profiletemplates").json()
    template = next(each for each in templates if each["Uuid"] == "97cd65fa-af4b-4587-9309-0dd6bfd8b4e1")
    assert (template["IsSmartcardProfileTemplate"], template["IsVirtualSmartcardProfileTemplate"]) == (True, True)

    policy = walk.step("GET", "policies/enroll").json()
    assert [each["Name"] for each in policy["DataCollection"]] == ["Request Reason", "name", "city"]
    assert not policy["CollectComments"]

    request = str(walk.step("POST", "requests").json())
    assert request.startswith("api/v1.0/requests/")
    walk.learn(REQUEST, request.rpartition("/")[2])

    opened = walk.step("GET", REQUEST).json()
    assert (opened["Status"], opened["NewSmartcardUuid"]) == (3, NOBODY)
    assert opened["DataCollection"] == [
        {"Name": "Request Reason", "Value": "Need VPN Certs"},
        {"Name": "name", "Value": None},
        {"Name": "city", "Value": None},
    ]

    configuration = walk.step("GET", "configuration/smartcards").json()
    assert (configuration["DefaultAdminKeyHex"], configuration["DiversifyAdminKey"]) == ("", True)
    assert configuration["UserPinOption"] == 3

    smartcard = str(walk.step("POST", "smartcards").json())
    assert smartcard.startswith("api/v1.0/smartcards/")
    walk.learn(SMARTCARD, smartcard.rpartition("/")[2])

    bound = walk.step("GET", SMARTCARD).json()
    assert (bound["Status"], bound["Flags"], bound["SerialNumber"]) == (ASSIGNED, PRIMARY, f"{{{card.card_id}}}")

    key = b64decode(walk.step("GET", f"diversifiedkey?cardid={CARD}").json())

    challenge = card.get_challenge()
    answer = walk.step("GET", "diversified=false", challenge=challenge.hex().upper()).json()
    assert card.authenticate(b64decode(answer)), "the card has the default key"
    card.change_admin_key(key)

    challenge = card.get_challenge()
    answer = walk.step("GET", "diversified=true", challenge=b64encode(challenge).decode()).json()
    assert card.authenticate(b64decode(answer)), "the card has its own key"
    card.set_pin("12345678")

    (options,) = walk.step("GET", "certificaterequestgenerationoptions").json()
    assert (options["KeyAlgorithmName"], options["KeySize"]) == ("RSA", 2048)

    made = as_base64(request_of("walkthrough"))
    submitted = walk.step("POST", "certificatedata", {"pfxpassword": "", "certificaterequests": [made]})
    (response,) = responses_of(submitted)
    verify_response(response, served.installation.ca_file)
    card.write(response)

    completed = walk.step("PUT", REQUEST).json()
    assert completed["Status"] == 8
    assert walk.is_over()
    assert len(card.content) == 1
    active = subscriber.get(f"/smartcards/{completed['NewSmartcardUuid']}").json()
    assert (active["Status"], active["Flags"], active["Atr"]) == (ACTIVE, PRIMARY, "")
