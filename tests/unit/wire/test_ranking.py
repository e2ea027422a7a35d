"""Which has the greatest weight, against a walk through all."""

import random

from certwright.wire.ranking import Ranking


def test_the_heaviest_is_the_one_that_a_walk_through_all_finds() -> None:
    chance, ranking, weights = random.Random(5), Ranking[str](), {}
    for _ in range(5_000):
        name, weight = chance.choice("abcdefgh"), chance.randrange(6)
        ranking.put(name, weight)
        weights[name] = weight
        assert ranking.greatest == max(weights.values())
        assert len(ranking) == sum(weight > 0 for weight in weights.values())
        if ranking.greatest:
            assert weights[ranking.get_heaviest()] == ranking.greatest


def test_of_several_the_one_that_has_been_so_longest_is_the_heaviest() -> None:
    ranking = Ranking[str]()
    for name in "abc":
        ranking.put(name, 2)
    ranking.put("a", 1)
    ranking.put("a", 2)
    assert ranking.get_heaviest() == "b"
