"""The REST API as an ASGI application."""

from collections.abc import Sequence

from litestar import HttpMethod, Litestar, Response, Router
from litestar.handlers import HTTPRouteHandler
from litestar.response.base import ASGIResponse
from litestar.types import ASGIApp, LifespanHook

from certwright.application.world import World
from certwright.domain.ports import SignIn
from certwright.wire.rest import certificate_data, certificates, profile_templates, profiles, requests
from certwright.wire.rest.calls import Route
from certwright.wire.rest.desk import Desk, Incoming
from certwright.wire.rest.folding import ROOT, Folding
from certwright.wire.rest.sign_in import Reception

ROUTES: tuple[Route, ...] = (
    *profile_templates.ROUTES,
    *requests.ROUTES,
    *certificate_data.ROUTES,
    *profiles.ROUTES,
    *certificates.ROUTES,
)
"""Every address of the API: a new one is a function that takes a `Call`, and a line here or in its module."""


def create_app(
    world: World,
    sign_ins: Sequence[SignIn],
    *,
    on_startup: Sequence[LifespanHook] = (),
    on_shutdown: Sequence[LifespanHook] = (),
) -> ASGIApp:
    """Return the application; its threads end with its lifespan, before *on_shutdown* runs.

    Shape: *sign_ins* are asked in their order.
    """
    desk = Desk(world, Reception(sign_ins))
    application = Litestar(
        route_handlers=[Router(f"{ROOT}/api/v1.0", route_handlers=[_create_handler(each, desk) for each in ROUTES])],
        exception_handlers={Exception: lambda _, error: _Prepared(desk.refuse(error))},
        on_startup=list(on_startup),
        on_shutdown=[desk.close, *on_shutdown],
        openapi_config=None,
        logging_config=None,
    )
    return Folding(application)


def _create_handler(route: Route, desk: Desk) -> HTTPRouteHandler:
    async def answer(request: Incoming) -> ASGIResponse:
        return await desk.take(route, request)

    return HTTPRouteHandler(route.path, http_method=HttpMethod(route.method))(answer)


class _Prepared(Response[None]):
    """What the framework wants from an exception handler, around an answer that is ready."""

    def __init__(self, response: ASGIResponse) -> None:
        super().__init__(content=None)
        self._response = response

    def to_asgi_response(self, *_: object, **__: object) -> ASGIResponse:
        """Return the answer."""
        return self._response
