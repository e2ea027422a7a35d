"""A server that answers what a test tells it to: for clients that must not believe everything."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

Reply = tuple[int, object]
"""Status and JSON body; a body of bytes is sent as it is."""


@dataclass
class LyingServer:
    """Shape: *replies* by method and end of the path; *calls* are what was asked, with its JSON."""

    replies: Mapping[tuple[str, str], Callable[[Any], Reply]]
    port: int = 0
    calls: list[tuple[str, str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, method: str, path: str, body: Any) -> Reply:
        self.calls.append((method, path, body))
        for (wanted, ending), reply in self.replies.items():
            if method == wanted and path.endswith(ending):
                return reply(body)
        return 404, {"Message": "There is nothing here.", "ErrorCode": "route-unknown", "CorrelationId": ""}


@contextmanager
def run_lying_server(replies: Mapping[tuple[str, str], Callable[[Any], Reply]]) -> Iterator[LyingServer]:
    """Serve *replies* over plain HTTP on a free port."""
    lies = LyingServer(replies)

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            content = self.rfile.read(length)
            status, body = lies.answer(self.command, self.path, json.loads(content) if content else None)
            sent = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = do_PUT = _do

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        lies.port = server.server_address[1]
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield lies
        finally:
            server.shutdown()
            thread.join()
