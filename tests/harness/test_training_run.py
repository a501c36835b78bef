"""From a cell to a trained model, without a bench: seeds, members, best weights, resuming, what losses are told."""

import itertools
import math
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import lessons
import numpy as np
import pytest
import torch
from conftest import waves
from lessons import COUNTS, CPU, STATES, Seeing, cell_of, lesson_of
from sklearn.metrics import balanced_accuracy_score
from torch import nn

import zoo
import zoo_imbalance
from zoo.data.protocols import Parts
from zoo.data.rows import Rows
from zoo.data.series import LabelledSeries
from zoo.errors import ModelError
from zoo.harness.reporter import SilentReporter
from zoo.harness.seeds import axis_seeds
from zoo.harness.training_run import TrainedModel, TrainingRun, epoch_scores, resampled
from zoo.registry import Registry, Source, source_of
from zoo.store.run import RunStatus
from zoo.training.batches import Tensors
from zoo.training.loop import Epoch, validate

SEEDS = {  # runs are repeated to the bit by these
    (0, 1): {"split": 2968811710, "resampling": 3964924996, "weights": 3141116543, "batches": 2613022947},
    (1, 1): {"split": 1835504127, "resampling": 1189033389, "weights": 1596810411, "batches": 4010755824},
    (0, 2): {"split": 2926792190, "resampling": 3884055042, "weights": 1425400168, "batches": 3170341645},
    (1, 2): {"split": 4158717079, "resampling": 3005640382, "weights": 3866241594, "batches": 1536272198},
}


class Diary(SilentReporter):
    """Remembers epochs and reports, and interrupts after an epoch if asked."""

    def __init__(self, stop_after: int = 0) -> None:
        self.stop_after = stop_after
        self.epochs: list[tuple[int, int]] = []
        self.reports: list[tuple[int, int, int, float | None]] = []

    def on_batch(self, epoch: int, rows_done: int, rows: int, loss: float | None) -> None:
        self.reports.append((epoch, rows_done, rows, loss))

    def on_epoch(self, epoch: Epoch) -> None:
        self.epochs.append((epoch.member, epoch.number))
        if epoch.number == self.stop_after:
            raise KeyboardInterrupt


def learn(training_run: TrainingRun, reporter: Diary | None = None, *, resume: bool = False) -> TrainedModel:
    return training_run.learn(reporter or Diary(), Path("state.pt"), resume=resume)


def members_of(trained_model: TrainedModel) -> list[nn.Module]:
    return [*getattr(trained_model.model, "members", [trained_model.model])]


def state(model: nn.Module) -> torch.Tensor:
    return torch.cat([tensor.flatten().double() for tensor in model.state_dict().values()])


@pytest.mark.parametrize(("seed", "member"), SEEDS)
def test_the_seeds_of_the_axes_are_pinned(seed: int, member: int) -> None:
    assert axis_seeds(seed, member) == SEEDS[seed, member]


def test_axes_seeds_and_members_have_seeds_of_their_own() -> None:
    assert axis_seeds(0, 1) == axis_seeds(0)
    found = [value for seed in range(20) for member in range(1, 6) for value in axis_seeds(seed, member).values()]
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(("seed", "member"), SEEDS)
def test_a_member_begins_with_weights_of_one_seed_and_trains_by_another(seed: int, member: int) -> None:
    cell, seeds = cell_of("turning", seed=seed), SEEDS[seed, member]
    learner = lesson_of(cell).learner(member)
    assert torch.equal(torch.get_rng_state(), torch.Generator().manual_seed(seeds["batches"]).get_state())
    assert torch.equal(learner.order.generator.get_state(), torch.Generator().manual_seed(seeds["batches"]).get_state())
    torch.manual_seed(seeds["weights"])
    expected = cell.network.build(n_channels=1, n_times=48, n_classes=3)
    assert torch.equal(state(learner.model), state(expected)), "running statistics are as they were built, too"


@pytest.mark.parametrize("members", [1, 2])
def test_every_member_is_left_with_the_weights_of_its_best_epoch(members: int) -> None:
    training_run, reporter = lesson_of(cell_of("turning", members=members)), Diary()
    trained_model = learn(training_run, reporter)
    told = [(1 + number // 4, 1 + number) for number in range(4 * members)]
    assert reporter.epochs == told
    assert [(epoch.member, epoch.number) for epoch in trained_model.history] == [(m, 1 + (n - 1) % 4) for m, n in told]
    assert len(members_of(trained_model)) == members
    for number, model in enumerate(members_of(trained_model), start=1):
        losses = [epoch.validation_loss for epoch in trained_model.history if epoch.member == number]
        best = 1 + losses.index(min(losses))
        assert best < 4, "it unlearns in the end"
        assert int(model.epochs) == best
        assert validate(
            model, Tensors.of(training_run.parts.validation, CPU.device), 0
        ).validation_loss == pytest.approx(min(losses))
    assert trained_model.best_epoch == (best if members == 1 else 0)


@pytest.mark.parametrize("stop_after", [3, 4, 6, 8])
def test_an_ensemble_resumes_in_the_member_where_it_was_interrupted_to_the_same_bits(stop_after: int) -> None:
    cell = cell_of("turning", members=2)
    unbroken = learn(lesson_of(cell))
    for path in Path().iterdir():
        path.unlink()
    with pytest.raises(KeyboardInterrupt):
        learn(lesson_of(cell), Diary(stop_after))
    assert {path.name for path in Path().iterdir()} == {"state.pt"} | ({"state-2.pt"} if stop_after > 4 else set())
    reporter = Diary()
    resumed = learn(lesson_of(cell), reporter, resume=True)
    assert [number for _, number in reporter.epochs] == [*range(stop_after + 1, 9)]
    assert torch.equal(state(resumed.model), state(unbroken.model))
    assert [replace(epoch, seconds=0) for epoch in resumed.history] == [
        replace(epoch, seconds=0) for epoch in unbroken.history
    ]


@pytest.mark.parametrize("data", ["original", "smote", "oversampled", "undersampled", "balanced-batches"])
def test_an_epoch_has_the_steps_of_the_rows_before_resampling_whatever_the_resampler(data: str) -> None:
    found, count = {}, len(lessons.parts().train)
    for epoch in ("original", "resampled"):
        cell, of = cell_of("turning", data=data, epochs=2, **{"training.epoch": epoch}), lessons.parts()
        rows = resampled(cell, of)
        history = learn(TrainingRun.of(cell, of, rows, CPU)).history
        found[epoch] = {each.steps for each in history}
        assert found[epoch] == {math.ceil((count if epoch == "original" else len(rows)) / 16)}
    assert (found["original"] == found["resampled"]) == (data in ("original", "balanced-batches"))


@pytest.mark.parametrize("data", ["smote", "undersampled", "balanced-batches"])
@pytest.mark.parametrize("stop_after", [1, 2, 3])
def test_a_run_goes_on_in_the_middle_of_an_order_of_its_rows(data: str, stop_after: int) -> None:
    cell, of = cell_of("turning", data=data), lessons.parts()
    training_run = TrainingRun.of(cell, of, resampled(cell, of), CPU)
    unbroken = learn(training_run)
    with pytest.raises(KeyboardInterrupt):
        learn(training_run, Diary(stop_after))
    resumed = learn(training_run, resume=True)
    assert torch.equal(state(resumed.model), state(unbroken.model))
    plain = [[replace(epoch, seconds=0) for epoch in each.history] for each in (resumed, unbroken)]
    assert plain[0] == plain[1]


@pytest.mark.parametrize(
    ("reference", "data", "members"),
    [("turning", "original", 1), ("turning", "smote", 1), ("turning", "smote", 2), ("fitted", "oversampled", 2)],
)
def test_the_kept_weights_have_a_macro_recall_on_the_training_rows_before_resampling(
    reference: str, data: str, members: int
) -> None:
    cell, of = cell_of(reference, data=data, members=members), lessons.parts()
    training_run = TrainingRun.of(cell, of, resampled(cell, of), CPU)
    trained_model = learn(training_run)
    with torch.inference_mode():
        logits = torch.stack([each(torch.from_numpy(of.train.values)) for each in members_of(trained_model)])
    predicted = logits.softmax(2).mean(0).argmax(1)
    assert trained_model.train_macro_recall == pytest.approx(balanced_accuracy_score(of.train.labels, predicted))
    if reference == "turning":
        with pytest.raises(KeyboardInterrupt):
            learn(training_run, Diary(stop_after=4 * members))
        resumed = learn(training_run, resume=True)
        assert resumed.train_macro_recall == trained_model.train_macro_recall


def test_no_macro_recall_of_training_rows_whose_logits_are_not_finite() -> None:
    of = lessons.parts()
    values = np.array(of.train.values)
    values[0] = np.inf
    spoilt = replace(of, train=replace(of.train, values=values))
    trained_model = learn(TrainingRun.of(cell_of("turning"), spoilt, of.train, CPU))
    assert trained_model.train_macro_recall is None
    assert trained_model.notes == (
        "the logits of training rows are NaN or infinite, so the macro recall on these rows is unknown",
    )


def test_resuming_where_nothing_was_begun_begins_and_without_it_a_checkpoint_is_not_read() -> None:
    first, again = Diary(), Diary()
    trained_model = learn(lesson_of(cell_of("turning")), first, resume=True)
    same = learn(lesson_of(cell_of("turning")), again)
    assert first.epochs == again.epochs == [(1, 1), (1, 2), (1, 3), (1, 4)]
    assert torch.equal(state(trained_model.model), state(same.model))


def test_an_ensemble_of_fitted_networks_has_an_epoch_of_each_told_once() -> None:
    cell, reporter = cell_of("fitted", members=2), Diary()
    trained_model = learn(lesson_of(cell), reporter)
    assert reporter.epochs == [(1, 1), (2, 2)]
    assert [(epoch.member, epoch.number, epoch.train_loss) for epoch in trained_model.history] == [
        (1, 1, None),
        (2, 1, None),
    ]
    rows = lessons.parts().train
    for number, model in enumerate(members_of(trained_model), start=1):
        seeds = SEEDS[0, number]
        order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(seeds["batches"]))
        drawn = torch.rand(1, generator=torch.Generator().manual_seed(seeds["weights"]))
        assert model.drawn.tolist() == [float(drawn), float(rows.values[order[0], 0, 0])]


@pytest.mark.parametrize("reference", ["turning", "fitted"])
def test_batches_are_told_by_epochs_that_are_counted_through_all_members(
    monkeypatch: pytest.MonkeyPatch, reference: str
) -> None:
    seconds, reporter = itertools.count(100.0), Diary()
    monkeypatch.setattr(time, "perf_counter", lambda: next(seconds))  # so that every batch is reported
    learn(lesson_of(cell_of(reference, members=2)), reporter)
    rows = len(lessons.parts().train)
    done = [min(rows, start + 16) for start in range(0, rows, 16)]
    epochs = 2 if reference == "fitted" else 8
    assert [report[:3] for report in reporter.reports] == [(n, at, rows) for n in range(1, epochs + 1) for at in done]
    assert all((loss is None) == (reference == "fitted") for _, _, _, loss in reporter.reports)


@pytest.mark.parametrize("reference", ["seeing", "fitted"])
def test_rows_are_drawn_as_the_resampler_weighs_them(reference: str) -> None:
    training_run = lesson_of(cell_of(reference, data="stated", epochs=2))
    assert training_run.weights is not None
    np.testing.assert_allclose(
        training_run.weights, [(1.0, 5e-13)[row % 2] for row in range(len(training_run.rows))], rtol=1e-6
    )
    Seeing.seen.clear()
    trained_model = learn(training_run)
    if reference == "seeing":
        rows = training_run.rows.values[:, 0, 0].tolist()
        assert {rows.index(value) % 2 for training, values, _ in Seeing.seen if training for value in values} == {0}
    else:
        even = training_run.rows.values[::2, 0]
        means = np.stack([even[training_run.rows.labels[::2] == label].mean(0) for label in range(3)])
        found = trained_model.model.means.numpy()
        for label in range(3):
            assert np.corrcoef(found[label], means[label])[0, 1] > 0.3
        rows = training_run.rows.values[:, 0, 0].tolist()
        assert rows.index(float(trained_model.model.drawn[1])) % 2 == 0


@pytest.mark.parametrize("seed", [0, 1])
def test_a_resampler_draws_from_the_seed_of_its_axis(seed: int) -> None:
    STATES.clear()
    cell = cell_of("turning", data="stated", seed=seed)
    resampled(cell, lessons.parts())
    lesson_of(cell)
    assert (len(STATES), set(STATES)) == (2, {SEEDS[seed, 1]["resampling"]})


def counts_told(parts: Parts, rows: Rows, data: str = "original") -> list[int]:
    COUNTS.clear()
    TrainingRun.of(cell_of("turning", data=data, loss="told"), parts, rows, CPU)
    (counts,) = COUNTS
    assert (counts.dtype, counts.device) == (torch.int64, torch.device("cpu"))
    return counts.tolist()


def some(rows: Rows, count: int, below: int) -> Rows:
    """The first rows of the classes below a number."""
    index = np.flatnonzero(rows.labels < below)[:count]
    return Rows(rows.values[index], rows.labels[index], rows.index[index])


def test_losses_are_told_the_rows_of_each_class_as_they_are_trained_on() -> None:
    parts = lessons.parts()
    rows = some(parts.train, 50, below=2)
    expected = [int((rows.labels == label).sum()) for label in range(3)]
    assert counts_told(parts, rows) == expected
    assert (sum(expected), expected[2]) == (50, 0)
    everything = counts_told(parts, parts.train)
    assert sum(everything) == len(parts.train)
    even = [int((parts.train.labels[::2] == label).sum()) for label in range(3)]
    drawn = counts_told(parts, parts.train, data="stated")
    assert sum(drawn) == pytest.approx(len(parts.train), abs=1.5)
    assert drawn == pytest.approx([len(parts.train) * count / sum(even) for count in even], abs=0.5)


def test_a_loss_that_changes_during_training_is_never_the_same_as_another() -> None:
    found = {loss: learn(lesson_of(cell_of("turning", loss=loss))) for loss in ("cross-entropy", "turncoat", "focal")}
    assert [len(each.loss_gradients) for each in found.values()] == [8, 0, 8]
    assert not any(each.notes for each in found.values())


def test_classes_that_are_drawn_equally_often_count_equally_many_rows() -> None:
    """Half a row is rounded alike for all classes, whatever the last digit of the sum of their weights."""
    parts = lessons.parts()
    for sizes in ((2, 7), (2, 9), (2, 17), (60, 9)):
        labels = np.repeat(np.arange(2), sizes)
        rows = Rows(parts.train.values[: len(labels)], labels, parts.train.index[: len(labels)])
        one, other, absent = counts_told(parts, rows, data="balanced-batches")
        assert (one == other, absent) == (True, 0), sizes


def test_a_class_that_is_hardly_ever_drawn_counts_as_one_row() -> None:
    parts = lessons.parts()
    rows = some(parts.train, 50, below=3)
    labels = np.zeros(50, dtype=np.int64)
    labels[1] = 2  # an odd row
    assert counts_told(parts, replace(rows, labels=labels), data="stated") == [50, 0, 1]


@pytest.mark.parametrize(
    ("how", "got"), [("wide", "(2, 4)"), ("flat", "(2,)"), ("fewer", "(1, 3)"), ("list", "list"), ("fine", "")]
)
def test_a_network_without_logits_of_its_classes_is_refused_before_an_epoch(how: str, got: str) -> None:
    training_run = lesson_of(cell_of("shaped", how=how))
    if not got:
        assert learn(training_run).history
        return
    with pytest.raises(ModelError) as caught:
        learn(training_run)
    assert str(caught.value) == f"shaped returned {got}, not logits of shape (2, 3)"


def test_one_row_of_validation_is_enough_to_see_the_logits() -> None:
    parts = lessons.parts()
    one = replace(parts, validation=some(parts.validation, 1, below=3))
    assert learn(lesson_of(cell_of("turning", epochs=1), one)).history
    with pytest.raises(ModelError, match=r"^shaped returned \(1, 4\), not logits of shape \(1, 3\)$"):
        learn(lesson_of(cell_of("shaped"), one))


def test_observers_are_told_the_scores_of_an_epoch() -> None:
    epoch = Epoch(3, 0.5, 0.25, 0.75, 0.875, 1e-3, 7.0, member=2, macro_f1=0.625, balanced_loss=0.125, steps=4)
    assert epoch_scores(epoch) == {
        "train_loss": 0.5,
        "validation_loss": 0.25,
        "macro_recall": 0.75,
        "accuracy": 0.875,
        "learning_rate": 1e-3,
        "macro_f1": 0.625,
        "balanced_loss": 0.125,
    }
    fitted = replace(epoch, train_loss=None, learning_rate=None)
    left = {"validation_loss", "macro_recall", "accuracy", "macro_f1", "balanced_loss"}
    assert set(epoch_scores(fitted)) == left


def test_a_worker_process_has_the_classes_and_shapes_and_no_row_of_the_test_part() -> None:
    parts = lessons.parts()
    there = Parts.without_test(parts.train, parts.validation, parts.summary)
    assert (there.train, there.validation) == (parts.train, parts.validation)
    assert (there.classes, there.summary) == (parts.classes, parts.summary)
    test = there.test
    test.training_ended()
    rows = test.open()
    assert (rows.values.shape, rows.labels.shape, rows.index.shape) == ((0, 1, 48), (0,), (0,))


def unequal(*, data_dir: Any = None) -> LabelledSeries:
    """Waves whose lengths can be told from their first sample, which no two have in common."""
    series = waves()
    return replace(series, lengths=np.array([length_of(value) for value in series.values[:, 0, 0].tolist()]))


def length_of(value: float) -> int:
    return 20 + int(abs(value) * 1000) % 29


def test_lengths_go_with_their_rows_to_training_validation_and_test() -> None:
    class Plugin:
        @zoo.hookimpl
        def zoo_components(self) -> list[zoo.Dataset]:
            return [zoo.Dataset(name="unequal", factory=f"{__name__}:unequal", summary=".", from_files=True)]

    sources = [source_of("imbalance", zoo_imbalance), source_of("lessons", lessons), Source("own", __name__, Plugin)]
    Seeing.seen.clear()
    (run,) = zoo.bench(
        "seeing",
        dataset="unequal",
        protocol="holdout",
        data="original",
        loss="cross-entropy",
        epochs=1,
        threads=1,
        results="results",
        registry=Registry.load(sources),
    )
    assert run.status == RunStatus.DONE
    first = waves().values[:, 0, 0].tolist()
    assert len(set(first)) == len(first)
    lengths = [(values, told) for _, values, told in Seeing.seen if told is not None]
    for values, told in lengths:
        assert told == [length_of(value) for value in values]
    assert {value for values, _ in lengths for value in values} == set(first), "every row of all three parts"
