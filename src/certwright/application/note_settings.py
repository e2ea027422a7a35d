"""Write down that the settings are others than at the last start."""

import json
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256

from certwright.application.world import World
from certwright.domain.events import Event, EventType, tell_of_program


def note_settings(effective: Mapping[str, str], defaults: Mapping[str, str], *, world: World) -> bool:
    """Return whether *effective* differ from those of the last start, which is then an event.

    Shape: both are texts by dotted path, without secrets. The event has a digest of all of them, and each that is not the
    default.
    """
    digest = sha256(json.dumps(sorted(effective.items())).encode()).hexdigest()
    with world.store.reading() as session:
        last = session.history.find_last_settings()
    if isinstance(last, Event) and last.details.get("digest") == digest:
        return False
    chosen = {path: value for path, value in effective.items() if defaults.get(path) != value}
    told = replace(tell_of_program(EventType.SETTINGS_CHANGED, world.clock.now()), details={"digest": digest, **chosen})
    with world.store.writing() as session:
        session.history.append([told])
    return True
