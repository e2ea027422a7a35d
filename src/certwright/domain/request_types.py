"""The kinds of request that the workflow engine knows."""

from enum import IntEnum


class RequestType(IntEnum):
    """Numbers are those of the wire. Source: domain.md 1.1."""

    ENROLL = 1
    RECOVER = 2
    RENEW = 3
    DISABLE = 4
    UNBLOCK = 5
    DUPLICATE = 6
    RETIRE = 7
    RECOVER_ON_BEHALF = 8
    SUSPEND_OR_REINSTATE = 9
    ONLINE_UPDATE = 10
    TEMPORARY_CARD_ENROLL = 11
    TEMPORARY_CARD_RETIRE = 12
    TEMPORARY_CARD_DISABLE = 13
    OFFLINE_UNBLOCK = 14
