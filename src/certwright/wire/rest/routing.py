"""From an address and a method to the route that answers them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from certwright.wire.rest.calls import Route
from certwright.wire.rest.faults import WireFault, WireRefusal


@dataclass(slots=True)
class _Node:
    """One segment of an address: what may follow, by literal text or as a named value, and what ends here, by method."""

    literals: dict[str, "_Node"] = field(default_factory=dict)
    value: "_Node | None" = None
    value_name: str = ""
    routes: dict[str, Route] = field(default_factory=dict)


class RouteTable:
    """All routes under one root, each below its version. A literal segment is preferred to a named one."""

    def __init__(self, root: str, routes: Iterable[Route]) -> None:
        self._root = _Node()
        for route in routes:
            node = self._root
            for segment in _split(f"{root}/{route.version}{route.path}"):
                node = _descend(node, segment)
            node.routes[route.method] = route

    def get_route(self, method: str, path: str) -> tuple[Route, Mapping[str, str]]:
        """Return the route and the values of its named segments; HEAD is asked of what GET is. Shape: *path* is folded.

        Errors: WireRefusal, 404 for an unknown address, 405 for one that is not asked with *method*.
        """
        node, values = self._root, {}
        for segment in _split(path):
            following = node.literals.get(segment)
            if following is None:
                following = node.value
                values[node.value_name] = segment
            if following is None:
                raise WireRefusal(WireFault.ROUTE_UNKNOWN)
            node = following
        if not node.routes:
            raise WireRefusal(WireFault.ROUTE_UNKNOWN)
        # Source: RFC 9110 section 9.3.2. The web server sends the head of the answer and no body.
        route = node.routes.get("GET" if method == "HEAD" else method)
        if route is None:
            methods = [*node.routes, "HEAD"] if "GET" in node.routes else [*node.routes]
            allowed = ("Allow", ", ".join(sorted(methods)))
            raise WireRefusal(WireFault.METHOD_NOT_ALLOWED, allowed)
        return route, values


def check_host(http_version: str, headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Raise unless the call says once for which host it is. Errors: WireRefusal (400). Source: RFC 9112 section 3.2."""
    given = sum(name == b"host" for name, _ in headers)
    if given > 1 or (given == 0 and http_version == "1.1"):
        raise WireRefusal(WireFault.HOST_HEADER_WRONG)


def _descend(node: _Node, segment: str) -> _Node:
    """Return the node of *segment* below *node*, made when it is not there yet."""
    if not segment.startswith("{"):
        return node.literals.setdefault(segment, _Node())
    if node.value is None:
        node.value, node.value_name = _Node(), segment.strip("{}")
    if node.value_name != segment.strip("{}"):
        raise ValueError(f"two names for one segment: {node.value_name} and {segment}")
    return node.value


def _split(path: str) -> list[str]:
    return path.strip("/").split("/")
