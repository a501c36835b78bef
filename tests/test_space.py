import random

import pytest

from zoo.space import Choice, Float, Int


def test_draws_stay_in_their_domain_and_reach_its_ends() -> None:
    rng = random.Random(0)
    drawn = {Int(1, 3).draw(rng) for _ in range(200)}
    assert drawn == {1, 2, 3}
    assert {Choice("adam", "adamw").draw(rng) for _ in range(50)} == {"adam", "adamw"}
    numbers = [Float(0.1, 0.4).draw(rng) for _ in range(2000)]
    assert 0.1 <= min(numbers) < 0.11
    assert 0.39 < max(numbers) <= 0.4
    assert 0.45 < sum(number < 0.25 for number in numbers) / 2000 < 0.55


def test_log_scale_gives_each_decade_its_share() -> None:
    rng = random.Random(0)
    drawn = [Float(1e-4, 1e-2, log=True).draw(rng) for _ in range(2000)]
    assert 0.45 < sum(value < 1e-3 for value in drawn) / 2000 < 0.55
    whole = [Int(1, 1000, log=True).draw(rng) for _ in range(2000)]
    assert min(whole) >= 1
    assert max(whole) <= 1000
    assert 0.4 < sum(value < 32 for value in whole) / 2000 < 0.6


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Int(3, 1), "low 3 is above high 1"),
        (lambda: Float(0.5, 0.1), "low 0.5 is above high 0.1"),
        (lambda: Float(0.0, 1.0, log=True), "a log scale needs low > 0, not 0.0"),
        (lambda: Int(0, 8, log=True), "a log scale needs low > 0, not 0"),
        (lambda: Choice(), "a Choice needs at least one value"),
    ],
)
def test_an_impossible_domain_is_refused(build, message: str) -> None:
    with pytest.raises(ValueError, match=r"above|log scale|at least one") as error:
        build()
    assert str(error.value) == message
