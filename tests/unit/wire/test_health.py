"""How `/health` answers while a look at the database hangs."""

import asyncio
from threading import Event

import msgspec

from certwright.domain.health import Health
from certwright.wire.rest.asgi import Response
from certwright.wire.rest.health import HealthDesk

PATIENCE_SECONDS = 120


def test_callers_are_answered_while_a_look_hangs_and_as_always_afterwards() -> None:
    go_on, looks = Event(), []

    def look() -> Health:
        looks.append("look")
        go_on.wait(PATIENCE_SECONDS)
        return Health(faults=(), is_writable=True)

    async def ask() -> list[Response]:
        desk = HealthDesk(look, look_seconds=0.05)
        hanging = [*await asyncio.gather(*(desk.take("GET") for _ in range(3))), await desk.take("GET")]
        go_on.set()
        while (answer := await desk.take("GET")).status != 200:
            pass
        desk.close()
        return [*hanging, answer]

    *hanging, well = asyncio.run(ask())
    assert [each.status for each in hanging] == [503] * 4
    assert msgspec.json.decode(hanging[0].body)["faults"] == ["store: it did not answer within 0.05 seconds"]
    assert well.status == 200
    assert looks == ["look"]
