"""Which of many things has the greatest weight, found without a walk through all of them."""

from collections import OrderedDict
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Ranking(Generic[Item]):
    """Things by weight. Shape: weights are whole numbers above 0; a change by one costs a few dictionary operations."""

    def __init__(self) -> None:
        self._weights: dict[Item, int] = {}
        self._levels: dict[int, OrderedDict[Item, None]] = {}
        self.greatest = 0
        """The greatest weight; 0 where there is nothing."""

    def __len__(self) -> int:
        return len(self._weights)

    def put(self, item: Item, weight: int) -> None:
        """Give *item* a weight; with 0 it is forgotten."""
        before = self._weights.get(item, 0)
        if weight == before:
            return
        if weight:
            self._weights[item] = weight
            self._levels.setdefault(weight, OrderedDict())[item] = None
        else:
            del self._weights[item]
        if before:
            self._leave(item, before)
        self.greatest = max(self.greatest, weight)
        while self.greatest and self.greatest not in self._levels:
            self.greatest -= 1

    def get_heaviest(self) -> Item:
        """Return what has had the greatest weight longest. Errors: KeyError where there is nothing."""
        return next(iter(self._levels[self.greatest]))

    def _leave(self, item: Item, weight: int) -> None:
        level = self._levels[weight]
        del level[item]
        if not level:
            del self._levels[weight]
