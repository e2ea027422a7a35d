import pytest

from certwright.domain.errors import MalformedValue
from certwright.wire.rest.folding import fold_path, fold_query

FOLDED = "/certificatemanagement/api/v1.0/requests/c6bad97c-f97f-4920-8947-be980c98c6b5"


@pytest.mark.parametrize(
    "path",
    [
        "/CertificateManagement/api/v1.0/requests/C6BAD97C-F97F-4920-8947-BE980C98C6B5",
        "/certificatemanagement/API/V1.0/Requests/C6BAD97C-F97F-4920-8947-BE980C98C6B5/",
        "/CertificateManagement/api/v1.0/ requests/C6BAD97C-F97F-4920-8947-BE980C98C6B5",
        "/CertificateManagement/api/v1.0/requests/ C6BAD97C-F97F-4920-8947-BE980C98C6B5 ",
        "/CertificateManagement/api/v1.0/requests/C6BAD97C-F97F-4920-8947-BE980C98C6B5.",
        "/CertificateManagement/api/v1.0/requests/C6BAD97C-F97F-4920-8947-BE980C98C6B5 . ",
    ],
)
def test_every_documented_spelling_of_a_path_becomes_one(path: str) -> None:
    assert fold_path(path) == FOLDED


def test_the_full_stop_of_the_version_stays() -> None:
    assert fold_path("/CertificateManagement/api/v1.0") == "/certificatemanagement/api/v1.0"


def test_segments_of_full_stops_alone_are_neither_walked_nor_dropped() -> None:
    assert fold_path("/certificatemanagement/api/../requests") == "/certificatemanagement/api/../requests"


def test_paths_of_others_keep_their_spelling() -> None:
    assert fold_path("/pki/Contoso%20CA.crl/") == "/pki/Contoso%20CA.crl/"


def test_query_names_are_folded_and_values_trimmed() -> None:
    assert fold_query(b"TargetUser=current&STATUS=+Active%20") == {"targetuser": "current", "status": "Active"}


def test_an_empty_query_has_nothing() -> None:
    assert fold_query(b"") == {}


def test_a_query_of_too_many_values_is_refused() -> None:
    with pytest.raises(MalformedValue):
        fold_query(b"&".join(b"a=1" for _ in range(51)))
