"""What a comparison of the rows with the history says."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StateProof:
    """Shape: *rows* were looked at; *taken_as_found* of them are as they were when they were first marked, and what they were
    before is not proven; *faults* are sentences that name a row; *lasting* are faults that cannot be accepted, as of rows that
    cannot be read; *remarks* are about what is no fault.
    """

    rows: int = 0
    taken_as_found: int = 0
    faults: tuple[str, ...] = ()
    lasting: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
