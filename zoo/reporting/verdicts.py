"""The answer of a board in three sentences, from the verdicts of `zoo compare` and of the leaderboard."""

from collections.abc import Mapping, Sequence

from zoo.metrics.seeds import FEWEST
from zoo.reporting.records import Row, Verdict
from zoo.scores import score_words
from zoo.versus import result
from zoo.versus.result import Pair
from zoo.wording import count_text

LISTED = 4  # names in a sentence
Pairs = Mapping[tuple[int, int], Pair]


def verdict_of(rows: Sequence[Row], pairs: Pairs, metric: str, *, folds: int = 0) -> Verdict:
    """Return the verdict of the ranked rows of a board, best first; `pairs` as `zoo.versus.board.Judged` has them."""
    top = tuple(place for place, row in enumerate(rows) if place == 0 or row.ranked.tied)
    if not rows:
        return Verdict(top=(), first="No configuration has a score on this test set.", undecided="", choice="")
    return Verdict(
        top=top,
        first=_first(rows, top, score_words(metric)),
        undecided=_undecided(rows, top, pairs, folds),
        choice=_choice(rows, top),
    )


def _first(rows: Sequence[Row], top: Sequence[int], words: str) -> str:
    leader, others = rows[0], rows[1:]
    score = f"{leader.name}, {_score(leader)}"
    if not others:
        return f"Only one configuration was scored on this test set: {score}."
    if not any(row.ranked.tied is not None for row in others):
        return f"No configuration is shown to be the best: the highest mean, {score}, may be chance."
    if len(top) > 1:
        group = names([rows[place] for place in top])
        many = f"all {len(rows)}" if len(top) == len(rows) else f"{len(top)} of {len(rows)}"
        return f"Tied for the best {words} are {many} configurations: {group}. The first of them has {_score(leader)}."
    if all(row.ranked.tied is False for row in others):
        return f"The best {words} has {score}: {_worse(len(others))}."
    return f"The highest {words} has {score}: no compared configuration is tied with it, but not all were compared."


def _worse(number: int) -> str:
    if number == 1:
        return "the other configuration was shown to be worse"
    return f"each of the {number} other configurations was shown to be worse"


def _undecided(rows: Sequence[Row], top: Sequence[int], pairs: Pairs, folds: int) -> str:
    if len(rows) < 2:
        return "Nothing was compared."
    parts = [_within(rows, top, pairs)] if len(top) > 1 else []
    parts += _uncompared(rows, pairs, folds)
    if not parts:
        open_pairs = sum(pair.verdict == result.Verdict.TIED for pair in pairs.values())
        shown = f"{len(pairs) - open_pairs} of {count_text(len(pairs), 'pair')} of configurations differ"
        order = "; the order of the others is not decided" if open_pairs else ", so the whole order is decided"
        return f"The first place is decided. {shown}{order}."
    return "Not decided: " + "; ".join(parts) + "."


def _within(rows: Sequence[Row], top: Sequence[int], pairs: Pairs) -> str:
    """Return how large a difference between the first and a tied one is still possible."""
    ends = [
        abs(end)
        for place in top[1:]
        for end in (pairs[0, place].difference.low, pairs[0, place].difference.high)
        if end is not None
    ]
    which = f"which of these {len(top)} is the best"
    return f"{which}, since differences from the first of up to {max(ends):.2f} are possible" if ends else which


def _uncompared(rows: Sequence[Row], pairs: Pairs, folds: int) -> list[str]:
    """Return for each reason which configurations could not be compared with the first."""
    if rows[0].ranked.seeds < FEWEST and not folds and len(rows) > 1:
        return [f"the first place, since a verdict needs {FEWEST} seeds and {rows[0].name} has {rows[0].ranked.seeds}"]
    unknown = [(place, row) for place, row in enumerate(rows) if place and row.ranked.tied is None]
    few = [row for _, row in unknown if row.ranked.seeds < FEWEST and not folds]
    by_reason: dict[str, list[Row]] = {}
    for place, row in unknown:
        if row not in few:
            by_reason.setdefault(_reason(row, pairs.get((0, place))), []).append(row)
    return _few(few) + [f"the place of {names(found)}, {reason}" for reason, found in by_reason.items()]


def _few(rows: Sequence[Row]) -> list[str]:
    """Return which configurations have fewer seeds than a verdict needs: the name of one, or the number of several."""
    if len(rows) == 1:
        seeds = count_text(rows[0].ranked.seeds, "seed")
        return [f"the place of {rows[0].name}, with {seeds} of the {FEWEST} that a verdict needs"]
    return (
        [f"the places of {len(rows)} configurations with fewer than the {FEWEST} seeds that a verdict needs"]
        if rows
        else []
    )


def _reason(row: Row, pair: Pair | None) -> str:
    reason = row.ranked.reason or (pair.difference.reason if pair else "")
    return f"since there is no interval: {reason}" if reason else "which could not be compared"


def _choice(rows: Sequence[Row], top: Sequence[int]) -> str:
    known = [rows[place] for place in top if rows[place].ranked.macs is not None]
    if not known:
        return "The cost of these configurations is not known."
    cheapest = min(known, key=lambda row: row.ranked.macs or 0)
    which = "It costs" if len(top) == 1 else f"Of these, {cheapest.name} costs least:"
    return f"{which} {cost_text(cheapest)}."


def cost_text(row: Row) -> str:
    """Return the costs of a configuration that do not depend on the load of a machine, and its training time."""
    parts = [f"{row.ranked.macs:,.0f} multiply-accumulates for one series"] if row.ranked.macs is not None else []
    parts += [f"{row.ranked.parameters:,.0f} parameters"] if row.ranked.parameters is not None else []
    seconds = row.ranked.train_seconds
    parts += [_seconds(seconds)] if seconds is not None else []
    return ", ".join(parts)


def _seconds(seconds: float) -> str:
    if seconds < 0.1:
        return "less than 0.1 s of training"
    return f"{seconds:,.{0 if seconds >= 10 else 1}f} s of training"


def names(rows: Sequence[Row]) -> str:
    """Return the names of configurations as a list in a sentence: `A, B and C`, of many only the first."""
    found = [row.name for row in rows]
    if len(found) > LISTED:
        found = [*found[:LISTED], f"{len(found) - LISTED} more"]
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}"


def _score(row: Row) -> str:
    score, low, high = row.ranked.score, row.ranked.low, row.ranked.high
    if score is None:
        return "no score"
    if low is None or high is None:
        return f"{score:.2f} (no interval)"
    digits = decimals(low, high)
    return f"{score:.{digits}f} ({low:.{digits}f}\N{EN DASH}{high:.{digits}f})"


def decimals(low: float, high: float) -> int:
    """Return the decimals of a score, not finer than its noise: one digit of half the interval, at least two."""
    half, digits = (high - low) / 2, 2
    while digits < 4 and half < 0.95 * 10**-digits:
        digits += 1
    return digits
