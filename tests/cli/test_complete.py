"""Completion of treatments: a resampler, and after its slash an objective."""

import click
import pytest
import typer

from zoo.cli.complete import treatments


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("smote", ["smote", "smote-tomek"]),
        ("smote/w", ["smote/weighted"]),
        ("balanced-batches/logit", ["balanced-batches/logit-adjusted"]),
        ("smote/nothing", []),
        ("nothing/w", []),
        ("smote/weighted/", []),
    ],
)
def test_the_objective_of_a_treatment_is_completed_after_a_resampler(typed: str, found: list[str]) -> None:
    assert treatments(typer.Context(click.Command("bench")), [], typed) == found
