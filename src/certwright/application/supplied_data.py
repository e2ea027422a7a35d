"""Whether the data items of a request are in."""

from certwright.application.request_parties import SeenRequest
from certwright.domain.data_items import DataItemOriginator, list_missing
from certwright.domain.errors import DataIncomplete, ValidationDataRequired


def check_data_complete(seen: SeenRequest) -> None:
    """Raise unless every required item is answered: a request is not executed before. Errors: DataIncomplete."""
    missing = list_missing(seen.policy.data_items, seen.request.data, sides=frozenset(DataItemOriginator))
    if missing:
        raise DataIncomplete(", ".join(each.item for each in missing if isinstance(each, ValidationDataRequired)))
