"""The verdict on a comparison of searchers: was tuning better than the defaults, and was one searcher better?"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoo.comparison.comparison import DEFAULTS, Comparison
from zoo.records import Interval
from zoo.scores import metric_words
from zoo.wording import count_text

if TYPE_CHECKING:
    from zoo.comparison.verdict import Lead, Verdict


def verdict_lines(
    comparison: Comparison, verdicts: "Sequence[Verdict]", lead: "Lead | None", dataset: str
) -> list[str]:
    """Return the results of a comparison as lines of text."""
    studies = len(comparison.studies)
    lines = [] if comparison.done == studies else [f"{comparison.done} of {studies} studies done"]
    lines += [_verdict_line(verdict, len(comparison.seeds)) for verdict in verdicts]
    lines += [f"{verdict.searcher}: {reason}" for verdict in verdicts for reason in verdict.reasons]
    if any(verdict.seeds for verdict in verdicts):
        lines.append(_trust(verdicts, dataset))
    if lead is not None:
        lines.append(_lead_line(comparison, lead))
    return lines


def _verdict_line(verdict: "Verdict", seeds: int) -> str:
    cost = f"{count_text(verdict.trials, 'trial')}, {verdict.seconds:,.0f} s of training in all"
    if verdict.tuned is None or verdict.defaults is None:
        return f"{verdict.searcher}: no verdict: no seed has test scores of both its winner and the defaults ({cost})"
    found = f"{verdict.tuned:.3f} tuned, {verdict.defaults:.3f} {DEFAULTS}: {difference_text(verdict.difference)}"
    words = {"worse": f"worse than {DEFAULTS}", "not shown": "not shown, could be chance"}
    over = f" ({len(verdict.seeds)} of {seeds} seeds)" if len(verdict.seeds) < seeds else ""
    return f"{verdict.searcher}{over}: {found}, {words.get(verdict.verdict, verdict.verdict)}: {cost}"


def _trust(verdicts: "Sequence[Verdict]", dataset: str) -> str:
    """Return a line that explains the intervals and their limits."""
    from zoo.comparison.verdict import FEWEST_SEEDS

    seeds = min(len(verdict.seeds) for verdict in verdicts if verdict.seeds)
    score = f"test {verdicts[0].score.replace('_', ' ')} on {dataset}"
    resampled = next(verdict.resampled for verdict in verdicts if verdict.seeds)
    drawn = f"test {resampled}" if resampled == "rows" else f"the test set's {resampled}"
    if seeds == 1:
        known = f"95 % intervals from bootstrap samples of {drawn}"
        return f"{score}, one seed; {known}; they do not include the variation between seeds"
    known = f"{score}, mean of {seeds} seeds; 95 % intervals from bootstrap samples of {drawn} and of seeds"
    return known if seeds >= FEWEST_SEEDS else f"{known}; with fewer than {FEWEST_SEEDS} seeds they are too narrow"


def _lead_line(comparison: Comparison, lead: "Lead") -> str:
    from zoo.comparison.verdict import AHEAD, FEWEST_SEEDS, TOO_FEW

    (first, second), (won, lost) = lead.searchers, lead.won
    after = f"{metric_words(lead.metric)} after {count_text(comparison.trials, 'trial')}"
    values = f"{first} {lead.values[0]:.3f}, {second} {lead.values[1]:.3f}"
    counted = f"{first} better in {won} of {count_text(len(lead.seeds), 'seed')}, {second} in {lost}"
    if lead.verdict == TOO_FEW:
        amount = f"{lead.difference.value:+.3f}"
        claim = f"too few seeds to rank searchers, which needs {FEWEST_SEEDS}"
    else:
        amount = difference_text(lead.difference)
        claim = f"{first} is ahead" if lead.verdict == AHEAD else "no difference shown, could be chance"
    return f"between searchers, {after}: {values}: {amount}; {counted}: {claim}"


def difference_text(interval: Interval) -> str:
    """Return a difference with its interval: +0.067 (+0.041 to +0.090); a dash without a value."""
    value, low, high = interval.value, interval.low, interval.high
    return "-" if value is None else f"{value:+.3f} ({low:+.3f} to {high:+.3f})"
