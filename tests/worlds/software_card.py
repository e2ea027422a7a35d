"""A card that is a program: it asks for a key before it obeys, and believes no answer that it did not work out itself."""

import os
from base64 import b64decode, b64encode
from urllib.parse import quote
from uuid import uuid4

import httpx
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES

ADMIN_TRIES = 3


class SoftwareCard:
    """A card with one administrator key and one PIN; three wrong answers and it is dead."""

    def __init__(self, *, octets: int = 8, admin_key: bytes = bytes(24), card_id: str | None = None) -> None:
        self.card_id = card_id or str(uuid4())
        self.atr = "3b8d0180fba000000397425446590301c8"
        self.admin_key = admin_key
        self.pin = "0000"
        self.content: list[bytes] = []
        self.tries_left = ADMIN_TRIES
        self._octets = octets
        self._challenge: bytes | None = None
        self._is_open = False

    def get_challenge(self) -> bytes:
        """Begin a session: what to answer."""
        self._is_open, self._challenge = False, os.urandom(self._octets)
        return self._challenge

    def authenticate(self, answer: bytes) -> bool:
        """Take the answer, once."""
        challenge, self._challenge = self._challenge, None
        assert challenge is not None, "nothing was asked"
        assert self.tries_left, "the card is blocked for good"
        cipher = TripleDES(self.admin_key) if self._octets == 8 else AES(self.admin_key)
        self._is_open = Cipher(cipher, modes.ECB()).encryptor().update(challenge) == answer
        self.tries_left = ADMIN_TRIES if self._is_open else self.tries_left - 1
        return self._is_open

    def change_admin_key(self, key: bytes) -> None:
        """Take another administrator key, from who has proved to know the one before."""
        assert self._is_open, "who wants to change the key proves first to know it"
        assert len(key) == len(self.admin_key)
        self.admin_key, self._is_open = key, False

    def set_pin(self, pin: str) -> None:
        """Take another PIN: how a card is unblocked."""
        assert self._is_open
        self.pin = pin

    def write(self, content: bytes) -> None:
        """Take a certificate."""
        assert self._is_open
        self.content.append(content)


class CardSession:
    """A client between the card in the reader and the server, for one request."""

    def __init__(self, client: httpx.Client, request: str, smartcard: str, card: SoftwareCard) -> None:
        self._client = client
        self._path = f"/requests/{request}/smartcards/{smartcard}"
        self._card = card

    def ask_answer(self, challenge: str, *, diversified: str, card_id: str | None = None) -> httpx.Response:
        """Ask for the answer to the challenge, spelled as it is given."""
        query = f"cardid={card_id or self._card.card_id}&challenge={challenge}&diversified={diversified}"
        return self._client.get(f"{self._path}/authenticationresponse?{query}")

    def open_card(self, *, diversified: bool) -> bool:
        """Have a challenge of the card answered, and say whether the card was content."""
        challenge = quote(b64encode(self._card.get_challenge()), safe="")
        answer = self.ask_answer(challenge, diversified=str(diversified))
        assert answer.status_code == 200, answer.text
        return self._card.authenticate(b64decode(answer.json()))

    def ask_key(self) -> httpx.Response:
        """Ask for the card's own key."""
        return self._client.get(f"{self._path}/diversifiedkey?cardid={self._card.card_id}")

    def diversify(self) -> bytes:
        """Give the card its own key, and return it."""
        answer = self.ask_key()
        assert answer.status_code == 200, answer.text
        key = b64decode(answer.json())
        assert self.open_card(diversified=False)
        self._card.change_admin_key(key)
        assert self.open_card(diversified=True)
        return key
