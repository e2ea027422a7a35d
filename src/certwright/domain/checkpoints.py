"""What is kept outside of the database about its history, against what the database says."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from certwright.domain.events import Checkpoint, SealStatement
from certwright.domain.sealing import encode_statement, name_events

IsSigned = Callable[[bytes, bytes], bool]
"""Returns whether the sealing key made the signature, its second argument, over the first."""


@dataclass(frozen=True, slots=True)
class CheckpointLine:
    """One line of a file of checkpoints. Shape: lines count from 1; *checkpoint* is None for a line that is none."""

    number: int
    checkpoint: Checkpoint | None


@dataclass(frozen=True, slots=True)
class _Seals:
    """Seals that follow each other, and the numbers of their first and their last event."""

    first_seal: int
    last_seal: int
    first: int
    last: int


def list_checkpoint_faults(
    lines: Iterable[CheckpointLine], chains: Mapping[int, bytes], last_sealed: int, is_signed: IsSigned
) -> list[str]:
    """Return a sentence for each thing that the history should have and has not, and for each line that proves nothing.

    Shape: *chains* has the chain of each seal by its number; *last_sealed* is the number of the last event under a seal.
    """
    faults: list[str] = []
    differing: list[_Seals] = []
    absent: list[_Seals] = []
    for line in lines:
        checkpoint = line.checkpoint
        if checkpoint is None:
            faults.append(f"line {line.number} of the checkpoints cannot be read")
            continue
        said = checkpoint.statement
        if chains.get(said.number) == said.chain:
            continue
        if not is_signed(encode_statement(said), checkpoint.signature):
            faults.append(f"line {line.number} of the checkpoints is not signed by the sealing key")
        else:
            _note(differing if said.number in chains else absent, said)
    return [
        *faults,
        *(f"{_name(each, 'is', 'are')} not what the checkpoints say; {_BECAUSE}" for each in differing),
        *(_tell_absent(each, last_sealed) for each in absent),
    ]


_BECAUSE = "the history was rewritten, or an older database was restored"


def _note(noted: list[_Seals], said: SealStatement) -> None:
    if noted and noted[-1].last_seal + 1 == said.number:
        before = noted.pop()
        noted.append(_Seals(before.first_seal, said.number, before.first, said.last))
    else:
        noted.append(_Seals(said.number, said.number, said.first, said.last))


def _name(seals: _Seals, about_one: str, about_many: str) -> str:
    one = seals.first_seal == seals.last_seal
    which = f"seal {seals.first_seal} {about_one}" if one else f"seals {seals.first_seal} to {seals.last_seal} {about_many}"
    return f"{name_events(seals.first, seals.last)}: {which}"


def _tell_absent(seals: _Seals, last_sealed: int) -> str:
    if seals.last <= last_sealed:
        return f"{_name(seals, 'is', 'are')} not there to be read, and the checkpoints tell of it"
    cut = name_events(last_sealed + 1, seals.last)
    was = "was" if last_sealed + 1 == seals.last else "were"
    return f"{cut} {was} cut off: the checkpoints tell of seal {seals.last_seal}, the history ends with event {last_sealed}"
