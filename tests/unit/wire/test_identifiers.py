from uuid import UUID

import pytest

from certwright.wire.rest.identifiers import find_identifier

GUID = UUID("97cd65fa-af4b-4587-9309-0dd6bfd8b4e1")


@pytest.mark.parametrize(
    "text",
    [
        "97cd65fa-af4b-4587-9309-0dd6bfd8b4e1",
        "97CD65FA-AF4B-4587-9309-0DD6BFD8B4E1",
        "{97CD65FA-AF4B-4587-9309-0DD6BFD8B4E1}",
        " { 97cd65fa-af4b-4587-9309-0dd6bfd8b4e1 } ",
        "97cd65faaf4b458793090dd6bfd8b4e1",
    ],
)
def test_a_guid_is_read_in_every_form_that_clients_write(text: str) -> None:
    assert find_identifier(text) == GUID


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12345",
        "{97cd65fa-af4b-4587-9309-0dd6bfd8b4e1",
        "97cd65fa-af4b-4587-9309-0dd6bfd8b4e1}",
        "urn:uuid:97cd65fa-af4b-4587-9309-0dd6bfd8b4e1",
        "97cd-65faaf4b458793090dd6bfd8b4e1",
        "97cd65fa-af4b-4587-9309-0dd6bfd8b4eg",
        "97cd65fa-af4b-4587-9309-0dd6bfd8b4e١",
    ],
)
def test_what_is_no_guid_is_none(text: str) -> None:
    assert find_identifier(text) is None
