"""Where calls are taken: who calls, what he sends, what is done, what he gets.

The event loop moves octets; all else of a call is one errand of a worker thread. Where a route says that it is brief, the event
loop does it itself: to hand it over would cost more than it saves. That is so only with a database on this machine, and while
no thread has a turn that would have to be waited for.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar
from weakref import WeakValueDictionary

import msgspec
import structlog

from certwright.application.note_denials import DenialHistory
from certwright.application.world import World
from certwright.domain.errors import CertwrightError
from certwright.domain.identities import Caller, UserId
from certwright.domain.ports import TakesLong, Turns
from certwright.wire.rest.admission import WAITING_LIMIT
from certwright.wire.rest.asgi import ClientLeft, Receive, Response, Scope, find_place
from certwright.wire.rest.body_room import DEFAULT_OCTETS, BodyPlace, BodyRoom
from certwright.wire.rest.calls import Answer, Call, Route
from certwright.wire.rest.errors import CallOrigin, answer_error, is_denial
from certwright.wire.rest.folding import fold_query
from certwright.wire.rest.gathering import Gathering
from certwright.wire.rest.reading import PATIENCE_SECONDS, check_not_encoded, read_body
from certwright.wire.rest.sign_in import ANONYMOUS, Credentials, Reception, parse_authorization
from certwright.wire.rest.slices import LongResponse, Slicer, Slices
from certwright.wire.rest.sources import Sources
from certwright.wire.rest.workers import Workers

Result = TypeVar("Result")

THREADS = 4
"""In each of the processes that serve; each takes a view of the database with a memory of its own."""
SLOW_THREADS = 2
"""In each process, for what takes long, so that nothing else has to wait in a queue behind it."""
LARGE_BODY_OCTETS = 65_536
"""Bodies above this, and those that do not say how long they are, are read only for people who have signed in."""

_EACH_ANSWER = (("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"))
_encode = msgspec.json.Encoder().encode
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """What the settings say of clients: where they are, how long they may take for a body, and how many sign-ins wait."""

    sources: Sources = Sources()
    body_seconds: float = PATIENCE_SECONDS
    bodies_octets: int = DEFAULT_OCTETS
    waiting_sign_ins: int = WAITING_LIMIT


@dataclass(slots=True, eq=False)
class _Errand:
    """One call on its way. Shape: *caller* is None until it is known who calls."""

    route: Route
    path: Mapping[str, str]
    scope: Scope
    source: str
    credentials: Credentials
    place: BodyPlace
    body: bytes = b""
    caller: Caller | None = None

    def describe(self) -> CallOrigin:
        """Return who asked for what, for the log."""
        method = self.scope.get("method", self.route.method)
        return CallOrigin(method, self.route.path, tuple(self.path.values()), self.source, self.caller)


class Desk:
    """Takes calls and answers them, in threads of its own: they cost less than those of the framework, and are few."""

    def __init__(
        self,
        world: World,
        reception: Reception,
        turns: Turns,
        denials: DenialHistory | None = None,
        edge: Edge = Edge(),
    ) -> None:
        self._world = world
        self._reception = reception
        self._turns = turns
        self._workers = Workers(THREADS, "rest", turns)
        self._slow_workers = Workers(SLOW_THREADS, "slow", turns)
        self._apart: WeakValueDictionary[UserId, asyncio.Lock] = WeakValueDictionary()
        self._slicer = Slicer(self._workers.run)
        self._denials = denials
        self._edge = edge
        self._bodies = BodyRoom(edge.bodies_octets)
        self._gatherings: dict[Route, Gathering[_Errand, Response | None]] = {}

    async def take(self, route: Route, path: Mapping[str, str], scope: Scope, receive: Receive) -> Response | LongResponse:
        """Return the answer to one call, also when it goes wrong. Shape: *path* has the values of named segments.

        Errors: ClientLeft.
        """
        source = self._edge.sources.note(scope)
        errand = _Errand(route, path, scope, source, ANONYMOUS, BodyPlace(self._bodies, source))
        try:
            return await self._take(errand, receive)
        except ClientLeft:
            raise
        except Exception as error:  # noqa: BLE001 - the outermost edge: whatever happens becomes an answer and a line of the log
            origin = errand.describe()
            await self._note_denial(error, origin)
            return self.refuse(error, origin)
        finally:
            errand.place.leave()

    def refuse(self, error: Exception, origin: CallOrigin | None = None) -> Response:
        """Return the answer that says no; the log says it with the *origin* of the call."""
        answer = answer_error(error, self._reception.challenges, origin)
        return _respond(answer.status, _encode(answer.body), answer.headers)

    def close(self) -> None:
        """End the threads once they have done what they were given."""
        self._workers.close()
        self._slow_workers.close()
        self._reception.close()

    async def _take(self, errand: _Errand, receive: Receive) -> Response | LongResponse:
        route, scope = errand.route, errand.scope
        header = _find_header(scope, b"authorization")
        errand.credentials = parse_authorization(header, errand.source, _name_connection(scope), find_place(scope))
        if route.takes_body:
            check_not_encoded(_find_header(scope, b"content-encoding"))
            length = _find_header(scope, b"content-length")
            if _is_large(length):
                errand.caller = await self._sign_in(errand.credentials)
                errand.place.holder = str(errand.caller.user.id)
            # What is announced is taken at once: a body that has begun to come is not refused in its middle.
            errand.place.grow_to(_find_announced(length, route.body_limit))
            errand.body = await read_body(receive, self._edge.body_seconds, errand.place.grow_to, route.body_limit)
        response = await self._do_once_known(errand) if route.together is None else await self._do_with_others(errand)
        if response.pages is None:
            return response
        return await self._slicer.respond(response, receive, is_head=scope["method"] == "HEAD")

    async def _do_once_known(self, errand: _Errand) -> Response:
        response = await self._run(_is_brief(errand), lambda: self._do(errand))
        if response is None:
            errand.caller = caller = await self._reception.authenticate(errand.credentials)
            response = await self._run(_is_brief(errand), lambda: self._do_for(errand, caller))
        return response

    async def _do_with_others(self, errand: _Errand) -> Response:
        """Return the answer, given together with others; what takes long is done apart, one call of a person at a time."""
        response = await self._gather(errand.route).join(errand) if errand.caller is None else None
        if response is not None:
            return response
        errand.caller = caller = errand.caller or await self._reception.authenticate(errand.credentials)
        async with self._apart.setdefault(caller.user.id, asyncio.Lock()):
            return await self._slow_workers.run(lambda: self._do_for(errand, caller))

    async def _note_denial(self, error: Exception, origin: CallOrigin) -> None:
        """Write the event of a call that its caller had no right to."""
        if self._denials is None or origin.caller is None or not is_denial(error):
            return
        denial = self._denials.plan(origin.caller, origin.method, origin.route, origin.object)
        if denial is None:
            return
        try:
            await self._workers.run(denial)
        except CertwrightError as unavailable:
            _log.warning("denial not recorded", code=unavailable.code)

    async def _run(self, is_brief: bool, work: Callable[[], Result]) -> Result:
        """Return what *work* returns, done here if it is brief and nobody else is at work, or else by a thread."""
        if is_brief:
            with self._turns.brief() as has_turn:
                if has_turn:
                    with suppress(TakesLong):
                        return work()
        return await self._workers.run(work)

    async def _sign_in(self, credentials: Credentials) -> Caller:
        known = await self._workers.run(lambda: self._reception.recall(credentials))
        return known or await self._reception.authenticate(credentials)

    def _do(self, errand: _Errand) -> Response | None:
        """Return the answer, or None when it takes slow work first to know who calls."""
        errand.caller = errand.caller or self._reception.recall(errand.credentials)
        return None if errand.caller is None else self._do_for(errand, errand.caller)

    def _do_for(self, errand: _Errand, caller: Caller) -> Response:
        return _encode_answer(errand.route.work(self._describe(errand, caller)))

    def _gather(self, route: Route) -> Gathering[_Errand, Response | None]:
        gathering = self._gatherings.get(route)
        if gathering is None:
            gathering = Gathering(
                lambda errands: self._run(all(map(_is_brief, errands)), lambda: self._do_together(route, errands))
            )
            self._gatherings[route] = gathering
        return gathering

    def _do_together(self, route: Route, errands: Sequence[_Errand]) -> list[Response | Exception | None]:
        """Return for each errand what `_do` returns or raises; None, too, for what is to be done apart."""
        if route.together is None:
            raise TypeError("this route answers one call at a time")
        begun = [self._begin(each) for each in errands]
        calls = [each for each in begun if isinstance(each, Call)]
        answers = iter(route.together(calls) if calls else ())
        return [_answer(next(answers)) if isinstance(each, Call) else each for each in begun]

    def _begin(self, errand: _Errand) -> Call | CertwrightError | None:
        """Return the call, None when it takes slow work first to know who calls, or why it is refused before its route."""
        try:
            errand.caller = self._reception.recall(errand.credentials)
            return None if errand.caller is None else self._describe(errand, errand.caller)
        except CertwrightError as refused:
            return refused

    def _describe(self, errand: _Errand, caller: Caller) -> Call:
        return Call(
            caller=caller,
            world=self._world,
            path=errand.path,
            query=fold_query(errand.scope["query_string"]),
            body=errand.body,
            content_type=_find_header(errand.scope, b"content-type") or "",
        )


def _answer(answer: Answer | Exception | None) -> Response | Exception | None:
    return _encode_answer(answer) if isinstance(answer, Answer) else answer


def _encode_answer(answer: Answer) -> Response:
    if isinstance(answer.body, Slices):
        return Response(answer.status, b"", (*answer.headers.items(), *_EACH_ANSWER), answer.body.pages)
    body = b"" if answer.status == 204 else _encode(answer.body)
    return _respond(answer.status, body, tuple(answer.headers.items()))


def _respond(status: int, body: bytes, headers: tuple[tuple[str, str], ...]) -> Response:
    return Response(status, body, (*headers, *_EACH_ANSWER))


def _find_header(scope: Scope, name: bytes) -> str | None:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)


def _name_connection(scope: Scope) -> str:
    """Return the address and port of the other end of the connection; nothing where there is none."""
    client = scope["client"]
    return f"{client[0]} {client[1]}" if client else ""


def _is_brief(errand: _Errand) -> bool:
    """Return whether the event loop may do it: a large body takes long to read, whatever the route does with it."""
    return errand.route.is_brief and len(errand.body) <= LARGE_BODY_OCTETS


def _find_announced(content_length: str | None, limit: int) -> int:
    """Return how many octets will be kept of a body; 0 where its length is not known, or too much to keep any."""
    octets = int(content_length) if content_length is not None and content_length.isdecimal() else 0
    return octets if octets <= limit else 0


def _is_large(content_length: str | None) -> bool:
    return content_length is None or not content_length.isdecimal() or int(content_length) > LARGE_BODY_OCTETS
