"""Cards that are not there, not ready, or not the right ones."""

from dataclasses import dataclass

from certwright.domain.errors.lookups import NotFound
from certwright.domain.errors.moments import WrongState


class SmartcardNotFound(NotFound):
    """No card has this identifier."""

    code = "smartcard-not-found"
    sentence = "There is no smart card {name}."


@dataclass(eq=False)
class CardMissing(WrongState):
    """A request about a card that has none yet."""

    code = "card-missing"
    sentence = "No smart card is bound to this: bind one first, with POST smartcards."


@dataclass(eq=False)
class CardNotTaken(WrongState):
    """A request that no card can be bound to."""

    code = "card-not-taken"
    sentence = "The operation {operation} of {template} takes no new card."
    operation: str
    template: str


@dataclass(eq=False)
class CardBoundAlready(WrongState):
    """The request has another card, which stays the one it is for."""

    code = "card-bound-already"
    sentence = "Another card is bound to the request already: go on with that one, or cancel the request."


@dataclass(eq=False)
class CardInUse(WrongState):
    """The card is somebody's; whose is not told."""

    code = "card-in-use"
    sentence = "The card {card} is in use, or bound to another request: retire it, or end that request first."
    card: str


@dataclass(eq=False)
class CardRetired(WrongState):
    """The card's life has ended, and the template does not use cards again."""

    code = "card-retired"
    sentence = "The card {card} was in use before and is retired: the profile template does not use cards again."
    card: str


@dataclass(eq=False)
class CardDiffers(WrongState):
    """The card in the reader is not the one that is bound."""

    code = "card-differs"
    sentence = "The card {card} is not the one that is bound to the request."
    card: str


class KeyNotDiversified(WrongState):
    """The card's own key is asked for before it has one."""

    code = "key-not-diversified"
    sentence = "The card has no key of its own yet: ask for the diversified key first."


@dataclass(eq=False)
class CardSecretNotNeeded(WrongState):
    """The operation has no use for what is asked for of the card."""

    code = "card-secret-not-needed"
    sentence = "The operation {operation} does not need {secret} of the card, which is therefore not given out."
    operation: str
    secret: str


@dataclass(eq=False)
class KeyShared(WrongState):
    """The template gives its cards no keys of their own."""

    code = "key-shared"
    sentence = "The profile template {template} gives its cards no administrator keys of their own."
    template: str


@dataclass(eq=False)
class ChallengesExhausted(WrongState):
    """As many challenges were answered for one request as the template allows."""

    code = "challenges-exhausted"
    sentence = "As many challenges were answered for this request as its profile template allows, {limit}: open another one."
    limit: int


@dataclass(eq=False)
class TemporaryCardsExhausted(WrongState):
    """The policy allows no further temporary card."""

    code = "temporary-cards-exhausted"
    sentence = "The subject already has {limit} temporary cards of {template}, as many as its policy allows."
    template: str
    limit: int


@dataclass(eq=False)
class AtrDiffers(WrongState):
    """The card tells another answer-to-reset than before."""

    code = "atr-differs"
    sentence = "The card {card} has another answer-to-reset than it had before: it is another card."
    card: str


@dataclass(eq=False)
class CardStateRefused(WrongState):
    """The table of moves has none for this action from this status of a card."""

    code = "card-state-refused"
    sentence = "A smart card that is {status} cannot {action}."
    status: str
    action: str
