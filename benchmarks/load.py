"""A lean HTTP client that keeps a number of connections busy: its own cost falls on the cores that the server uses too."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from time import perf_counter
from typing import TypeVar

import uvloop

HEAD_END = b"\r\n\r\n"
Job = TypeVar("Job")


class Connection:
    """One kept-alive connection; answers are (status, body)."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send a whole request and return its answer."""
        self._writer.write(request)
        head = await self._reader.readuntil(HEAD_END)
        length = _find_length(head)
        body = await self._reader.readexactly(length) if length else b""
        return int(head[9:12]), body

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


def _find_length(head: bytes) -> int:
    lowered = head.lower()
    at = lowered.find(b"content-length:")
    return int(lowered[at + 15 : lowered.index(b"\r\n", at)]) if at >= 0 else 0


@asynccontextmanager
async def connect(port: int, authority_file: str) -> AsyncIterator[Connection]:
    """Open a TLS connection to the server on this machine, whose authority is in *authority_file*."""
    context = ssl.create_default_context(cafile=authority_file)
    reader, writer = await asyncio.open_connection("localhost", port, ssl=context, limit=2**20)
    connection = Connection(reader, writer)
    try:
        yield connection
    finally:
        await connection.close()


def drive(
    jobs: Iterable[Job], work: Callable[[Connection, Job], Awaitable[None]], *, clients: int, port: int, authority_file: str
) -> float:
    """Do every job, *clients* at a time, each on a connection of its own, and return the seconds it took."""
    return uvloop.run(_drive(iter(jobs), work, clients, port, authority_file))


async def _drive(jobs, work, clients: int, port: int, authority_file: str) -> float:
    async def client(ready: asyncio.Barrier) -> None:
        async with connect(port, authority_file) as connection:
            await ready.wait()
            for job in jobs:
                await work(connection, job)

    ready = asyncio.Barrier(clients + 1)
    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(client(ready))
        await ready.wait()
        began = perf_counter()
    return perf_counter() - began
