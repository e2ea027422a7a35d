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
        """Return the route and the values of its named segments. Shape: *path* is folded.

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
        route = node.routes.get(method)
        if route is None:
            allowed = ("Allow", ", ".join(sorted(node.routes)))
            raise WireRefusal(WireFault.METHOD_NOT_ALLOWED, allowed)
        return route, values


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
