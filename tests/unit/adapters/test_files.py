"""Who else can read the file of a secret."""

import pytest

from certwright.adapters.files import find_readers

ROOT, SERVICE, OTHER = 0, 990, 1000


@pytest.mark.parametrize(
    ("mode", "owner", "reader", "who"),
    [
        (0o600, SERVICE, SERVICE, None),
        (0o400, SERVICE, SERVICE, None),
        (0o640, SERVICE, SERVICE, "its group"),
        (0o620, SERVICE, SERVICE, "its group"),
        (0o604, SERVICE, SERVICE, "everybody"),
        (0o602, SERVICE, SERVICE, "everybody"),
        (0o666, SERVICE, SERVICE, "everybody"),
        # Root hands it to the group of a service.
        (0o600, ROOT, SERVICE, None),
        (0o640, ROOT, SERVICE, None),
        (0o660, ROOT, SERVICE, "its group"),
        (0o644, ROOT, SERVICE, "everybody"),
        (0o600, OTHER, SERVICE, "another account"),
        # A command that root runs reads the files of the service.
        (0o600, SERVICE, ROOT, None),
        (0o640, SERVICE, ROOT, "its group"),
    ],
)
def test_a_secret_that_others_may_read_is_refused(mode: int, owner: int, reader: int, who: str | None) -> None:
    found = find_readers(0o100000 | mode, owner, reader)
    assert found is None if who is None else (found or "").startswith(who)


def test_the_mask_of_a_credential_of_systemd_is_not_its_group() -> None:
    assert find_readers(0o100440, ROOT, SERVICE, is_guarded_by_acl=True) is None
    assert find_readers(0o100440, SERVICE, SERVICE, is_guarded_by_acl=True) is None
    assert find_readers(0o100444, ROOT, SERVICE, is_guarded_by_acl=True) == "everybody"
