"""Where calls are taken: who calls, what he sends, what is done, what he gets.

The event loop moves octets; all else of a call is one errand of a worker thread. Where a route says that it is brief, the event
loop does it itself: to hand it over would cost more than it saves. That is so only with a database on this machine, and while
no thread has a turn that would have to be waited for.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from certwright.application.world import World
from certwright.domain.errors import CertwrightError
from certwright.domain.identities import Caller
from certwright.domain.ports import TakesLong, Turns
from certwright.wire.rest.asgi import Receive, Response, Scope
from certwright.wire.rest.calls import Answer, Call, Route
from certwright.wire.rest.errors import answer_error
from certwright.wire.rest.folding import fold_query
from certwright.wire.rest.gathering import Gathering
from certwright.wire.rest.reading import read_body
from certwright.wire.rest.sign_in import Credentials, Reception, parse_authorization
from certwright.wire.rest.workers import Workers

Result = TypeVar("Result")

THREADS = 4
"""In each of the processes that serve; each takes a view of the database with a memory of its own."""
LARGE_BODY_OCTETS = 65_536
"""Bodies above this, and those that do not say how long they are, are read only for people who have signed in."""

_EACH_ANSWER = (("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"))
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class _Errand:
    route: Route
    path: Mapping[str, str]
    scope: Scope
    credentials: Credentials
    body: bytes


class Desk:
    """Takes calls and answers them, in threads of its own: they cost less than those of the framework, and are few."""

    def __init__(self, world: World, reception: Reception, turns: Turns) -> None:
        self._world = world
        self._reception = reception
        self._turns = turns
        self._workers = Workers(THREADS, "rest", turns)
        self._gatherings: dict[Route, Gathering[_Errand, Response | None]] = {}

    async def take(self, route: Route, path: Mapping[str, str], scope: Scope, receive: Receive) -> Response:
        """Return the answer to one call, also when it goes wrong. Shape: *path* has the values of named segments."""
        try:
            return await self._take(route, path, scope, receive)
        except Exception as error:  # noqa: BLE001 - the outermost edge: whatever happens becomes an answer and a line of the log
            return self.refuse(error)

    def refuse(self, error: Exception) -> Response:
        """Return the answer that says no."""
        answer = answer_error(error, self._reception.challenges)
        return _respond(answer.status, _encode(answer.body), answer.headers)

    def close(self) -> None:
        """End the threads once they have done what they were given."""
        self._workers.close()
        self._reception.close()

    async def _take(self, route: Route, path: Mapping[str, str], scope: Scope, receive: Receive) -> Response:
        credentials = parse_authorization(_find_header(scope, b"authorization"), _find_source(scope))
        caller, body = None, b""
        if route.takes_body:
            if _is_large(_find_header(scope, b"content-length")):
                caller = await self._sign_in(credentials)
            body = await read_body(receive)
        errand = _Errand(route, path, scope, credentials, body)
        if route.together is not None and caller is None:
            response = await self._gather(route).join(errand)
        else:
            response = await self._run(route, lambda: self._do(errand, caller))
        if response is None:
            caller = await self._reception.authenticate(credentials)
            response = await self._run(route, lambda: self._do_for(errand, caller))
        return response

    async def _run(self, route: Route, work: Callable[[], Result]) -> Result:
        """Return what *work* returns, done here if it is brief and nobody else is at work, or else by a thread."""
        if route.is_brief:
            with self._turns.brief() as has_turn:
                if has_turn:
                    with suppress(TakesLong):
                        return work()
        return await self._workers.run(work)

    async def _sign_in(self, credentials: Credentials) -> Caller:
        known = await self._workers.run(lambda: self._reception.recall(credentials))
        return known or await self._reception.authenticate(credentials)

    def _do(self, errand: _Errand, caller: Caller | None) -> Response | None:
        """Return the answer, or None when it takes slow work first to know who calls."""
        caller = caller or self._reception.recall(errand.credentials)
        return None if caller is None else self._do_for(errand, caller)

    def _gather(self, route: Route) -> Gathering[_Errand, Response | None]:
        gathering = self._gatherings.get(route)
        if gathering is None:
            gathering = Gathering(lambda errands: self._run(route, lambda: self._do_together(route, errands)))
            self._gatherings[route] = gathering
        return gathering

    def _do_together(self, route: Route, errands: Sequence[_Errand]) -> list[Response | Exception | None]:
        """Return for each errand what `_do` returns or raises."""
        if route.together is None:
            raise TypeError("this route answers one call at a time")
        begun = [self._begin(each) for each in errands]
        calls = [each for each in begun if isinstance(each, Call)]
        answers = iter(route.together(calls) if calls else ())
        return [_answer(next(answers)) if isinstance(each, Call) else each for each in begun]

    def _begin(self, errand: _Errand) -> Call | CertwrightError | None:
        """Return the call, None when it takes slow work first to know who calls, or why it is refused before its route."""
        try:
            caller = self._reception.recall(errand.credentials)
            return None if caller is None else self._describe(errand, caller)
        except CertwrightError as refused:
            return refused

    def _do_for(self, errand: _Errand, caller: Caller) -> Response:
        answer = errand.route.work(self._describe(errand, caller))
        return _encode_answer(answer)

    def _describe(self, errand: _Errand, caller: Caller) -> Call:
        return Call(
            caller=caller,
            world=self._world,
            path=errand.path,
            query=fold_query(errand.scope["query_string"]),
            body=errand.body,
            content_type=_find_header(errand.scope, b"content-type") or "",
        )


def _answer(answer: Answer | Exception) -> Response | Exception:
    return answer if isinstance(answer, Exception) else _encode_answer(answer)


def _encode_answer(answer: Answer) -> Response:
    body = b"" if answer.status == 204 else _encode(answer.body)
    return _respond(answer.status, body, tuple(answer.headers.items()))


def _respond(status: int, body: bytes, headers: tuple[tuple[str, str], ...]) -> Response:
    return Response(status, body, (*headers, *_EACH_ANSWER))


def _find_header(scope: Scope, name: bytes) -> str | None:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)


def _find_source(scope: Scope) -> str:
    client = scope["client"]
    return client[0] if client else "unknown"


def _is_large(content_length: str | None) -> bool:
    return content_length is None or not content_length.isdecimal() or int(content_length) > LARGE_BODY_OCTETS
