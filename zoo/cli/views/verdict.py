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
    words = {
        "worse": f"worse than {DEFAULTS}",
        "not shown": "not shown, could be chance",
        "too few seeds": f"too few seeds ({len(verdict.seeds)})",
    }
    over = f" ({len(verdict.seeds)} of {seeds} seeds)" if len(verdict.seeds) < seeds else ""
    return f"{verdict.searcher}{over}: {found}, {words.get(verdict.verdict, verdict.verdict)}: {cost}"


def _trust(verdicts: "Sequence[Verdict]", dataset: str) -> str:
    """Return a line that explains the intervals and their limits."""
    from zoo.metrics.seeds import FEWEST

    scored = [verdict for verdict in verdicts if verdict.seeds]
    fewest, resampled = min(len(verdict.seeds) for verdict in scored), scored[0].resampled
    over = f"test {resampled}" if resampled == "rows" else f"the test set's {resampled}"
    seeds = "one seed" if fewest == 1 else f"mean of {fewest} seeds"
    score = f"test {scored[0].score.replace('_', ' ')} on {dataset}, {seeds}"
    if reason := next((verdict.difference.reason for verdict in scored if verdict.difference.reason), ""):
        return f"{score}; no interval: {reason}"
    if fewest >= FEWEST:
        return f"{score}; 95 % intervals over seeds and {over}"
    spreads = [f"{verdict.searcher} ±{verdict.deviation:.3f}" for verdict in scored if verdict.deviation is not None]
    spread = f"; standard deviation of the difference over seeds: {', '.join(spreads)}" if spreads else ""
    return f"{score}; 95 % intervals over {over} only{spread}; a verdict needs {FEWEST} seeds"


def _lead_line(comparison: Comparison, lead: "Lead") -> str:
    from zoo.comparison.verdict import AHEAD, TOO_FEW
    from zoo.metrics.seeds import FEWEST

    (first, second), (won, lost) = lead.searchers, lead.won
    after = f"{metric_words(lead.metric)} after {count_text(comparison.trials, 'trial')}"
    values = f"{first} {lead.values[0]:.3f}, {second} {lead.values[1]:.3f}"
    counted = f"{first} better in {won} of {count_text(len(lead.seeds), 'seed')}, {second} in {lost}"
    if lead.verdict == TOO_FEW:
        amount = f"{lead.difference.value:+.3f}"
        claim = f"too few seeds to rank searchers, which needs {FEWEST}"
    else:
        amount = difference_text(lead.difference)
        claim = f"{first} is ahead" if lead.verdict == AHEAD else "no difference shown, could be chance"
    return f"between searchers, {after}: {values}: {amount}; {counted}: {claim}"


def difference_text(interval: Interval) -> str:
    """Return a difference with its interval: +0.067 (+0.041 to +0.090); a dash without a value."""
    if interval.value is None:
        return "-"
    bounded = interval.low is not None and interval.high is not None
    return f"{interval.value:+.3f}" + (f" ({interval.low:+.3f} to {interval.high:+.3f})" if bounded else "")
