"""Long lists leave slice by slice, as one JSON array; who has left ends the reading."""

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from certwright.domain.errors import StoreUnavailable
from certwright.wire.rest.asgi import Response
from certwright.wire.rest.slices import LongResponse, Slicer

HEADERS = (("Cache-Control", "no-store"),)


class Client:
    """The web server's side of one call. Shape: *sent* are its messages; after *patience* chunks it leaves."""

    def __init__(self, patience: int = 1_000) -> None:
        self.sent: list[dict[str, Any]] = []
        self._patience = patience
        self._left = asyncio.Event()
        self._opening: list[dict[str, Any]] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive(self) -> dict[str, Any]:
        if self._opening:
            return self._opening.pop()
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)
        if sum("body" in each for each in self.sent) >= self._patience:
            self._left.set()
        await asyncio.sleep(0)

    @property
    def body(self) -> bytes:
        return b"".join(each.get("body", b"") for each in self.sent)

    @property
    def is_complete(self) -> bool:
        return "body" in self.sent[-1] and not self.sent[-1].get("more_body", False)


async def run_at_once(work: Callable[[], Sequence[object] | None]) -> Sequence[object] | None:
    await asyncio.sleep(0)
    return work()


def answer(pages: Iterator[Sequence[object]], client: Client) -> Response | LongResponse:
    async def respond() -> Response | LongResponse:
        response = await Slicer(run_at_once).respond(Response(200, b"", HEADERS, pages), client.receive)
        await response.send(client.send)
        return response

    return asyncio.run(respond())


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        ([[1, 2]], b"[1,2]"),
        ([[], [1], []], b"[1]"),
        ([[1], [2], [3, 4]], b"[1,2,3,4]"),
        ([[1], [], [2], []], b"[1,2]"),
        ([[{"Uuid": "a"}], [{"Uuid": "b"}]], b'[{"Uuid":"a"},{"Uuid":"b"}]'),
    ],
)
def test_all_items_leave_as_one_array(pages: list[list[object]], expected: bytes) -> None:
    client = Client()
    response = answer(iter(pages), client)
    assert (response.status, client.body, client.is_complete) == (200, expected, True)
    assert json.loads(client.body) == [each for page in pages for each in page]
    assert (b"cache-control", b"no-store") in client.sent[0]["headers"]
    assert dict(client.sent[0]["headers"])[b"content-type"].startswith(b"application/json")


@pytest.mark.parametrize("pages", [[], [[]], [[], []]])
def test_a_list_without_items_is_no_content(pages: list[list[object]]) -> None:
    client = Client()
    assert (answer(iter(pages), client).status, client.body) == (204, b"")


def test_what_fits_into_one_slice_says_how_long_it_is() -> None:
    client = Client()
    answer(iter([["one"]]), client)
    assert dict(client.sent[0]["headers"])[b"content-length"] == b"7"


def test_nothing_is_read_for_a_client_that_has_left() -> None:
    read: list[int] = []

    def pages() -> Iterator[list[int]]:
        for number in range(1_000):
            read.append(number)
            yield [number]

    client = Client(patience=5)
    answer(pages(), client)
    assert len(read) < 10
    assert not client.is_complete


def test_a_fault_on_the_way_leaves_the_array_open() -> None:
    def pages() -> Iterator[list[int]]:
        yield [1]
        yield [2]
        raise StoreUnavailable("gone")

    client = Client()
    answer(pages(), client)
    assert client.body == b"[1,2"
    assert not client.is_complete


def test_a_fault_before_anything_was_sent_is_the_answer() -> None:
    def pages() -> Iterator[list[int]]:
        raise StoreUnavailable("gone")
        yield []

    with pytest.raises(StoreUnavailable):
        answer(pages(), Client())


def test_one_slice_of_all_lists_is_read_at_a_time() -> None:
    at_work, most = 0, 0

    async def run(work: Callable[[], Sequence[object] | None]) -> Sequence[object] | None:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        await asyncio.sleep(0)
        at_work -= 1
        return work()

    async def answer_several() -> list[bytes]:
        slicer, clients = Slicer(run), [Client() for _ in range(5)]

        async def take(client: Client) -> bytes:
            pages: Iterator[Sequence[object]] = iter([[number] for number in range(10)])
            response = await slicer.respond(Response(200, b"", HEADERS, pages), client.receive)
            await response.send(client.send)
            return client.body

        return list(await asyncio.gather(*map(take, clients)))

    assert asyncio.run(answer_several()) == [b"[0,1,2,3,4,5,6,7,8,9]"] * 5
    assert most == 1


def test_a_long_list_is_not_read_for_its_headers_alone() -> None:
    read: list[int] = []

    def pages() -> Iterator[list[int]]:
        for number in range(100):
            read.append(number)
            yield [number]

    async def respond(client: Client) -> None:
        response = Response(200, b"", HEADERS, pages())
        found = await Slicer(run_at_once).respond(response, client.receive, is_head=True)
        await found.send(client.send)

    client = Client()
    asyncio.run(respond(client))
    assert (client.body, client.is_complete, read) == (b"", True, [0, 1])
