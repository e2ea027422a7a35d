"""The REST API as an ASGI application."""

from collections.abc import Sequence

from certwright.application.note_denials import DenialHistory
from certwright.application.world import World
from certwright.domain.client_sources import group_source
from certwright.domain.ports import SignIn, Turns
from certwright.wire.rest import (
    certificate_data,
    certificates,
    events,
    one_time_passwords,
    passwords,
    profile_templates,
    profiles,
    requests,
    smartcards,
)
from certwright.wire.rest.asgi import ASGIApp, ClientLeft, Receive, Response, Scope, Send, find_place
from certwright.wire.rest.calls import Route
from certwright.wire.rest.desk import Desk, Edge
from certwright.wire.rest.folding import ROOT, fold_path
from certwright.wire.rest.health import HEALTH, HealthDesk, LookAtHealth
from certwright.wire.rest.routing import RouteTable, check_host
from certwright.wire.rest.sign_in import Reception
from certwright.wire.rest.slices import LongResponse

ROUTES: tuple[Route, ...] = (
    *profile_templates.ROUTES,
    *requests.ROUTES,
    *certificate_data.ROUTES,
    *one_time_passwords.ROUTES,
    *passwords.ROUTES,
    *profiles.ROUTES,
    *certificates.ROUTES,
    *smartcards.ROUTES,
    *events.ROUTES,
)
"""Every address of the API: a new one is a function that takes a `Call`, and a line here or in its module."""


def create_app(
    world: World,
    sign_ins: Sequence[SignIn],
    turns: Turns,
    look: LookAtHealth,
    edge: Edge = Edge(),  # noqa: B008 - immutable
) -> ASGIApp:
    """Return the application; its threads end with its lifespan.

    Shape: *sign_ins* are asked in their order; *look* finds out how the server is; *edge* is what the settings say of clients.
    """
    denials = DenialHistory(world.store, world.clock)
    desk, health = Desk(world, Reception(sign_ins, edge.waiting_sign_ins), turns, denials, edge), HealthDesk(look)
    table = RouteTable(f"{ROOT}/api", ROUTES)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live((desk, health), receive, send)
            return
        response: Response | LongResponse
        try:
            check_host(scope["http_version"], scope["headers"])
            if scope["path"] == HEALTH:
                response = await _take_health(health, scope, edge.sources.note(scope))
            else:
                route, values = table.get_route(scope["method"], fold_path(scope["path"]))
                response = await desk.take(route, values, scope, receive)
        except ClientLeft:
            return
        except Exception as error:  # noqa: BLE001 - the outermost edge, as in `Desk.take`
            response = desk.refuse(error)
        await response.send(send)

    return application


async def _take_health(health: HealthDesk, scope: Scope, address: str) -> Response:
    """Return the answer; while it is waited for, the connection may have to go: anybody may ask."""
    place = find_place(scope)
    place.ask(group_source(address))
    try:
        return await health.take(scope["method"])
    finally:
        place.stop_asking()


async def _live(desks: Sequence[Desk | HealthDesk], receive: Receive, send: Send) -> None:
    """Follow the web server through its life."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.shutdown":
            for each in desks:
                each.close()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
