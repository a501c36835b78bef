"""A run as plain data, and the names it is shown by."""

from dataclasses import replace

from zoo.scores import CLASS_SCORES, MACRO_SCORES
from zoo.store.run import Run

RUN = Run(id="1", key="k", architecture="lstm", dataset="waves", protocol="holdout", data="smote", loss="focal", seed=7)


def test_a_run_as_plain_data_has_every_documented_name() -> None:
    assert RUN.to_json() == {
        "id": "1",
        "key": "k",
        "configuration": "",
        "besides_loss": "",
        "code": "",
        "fingerprint": "",
        "status": "running",
        "architecture": "lstm",
        "preset": "",
        "block": "",
        "dataset": "waves",
        "synthetic": False,
        "protocol": "holdout",
        "fold": 0,
        "folds": 0,
        "scale": "none",
        "data": "smote",
        "loss": "focal",
        "seed": 7,
        "rows": None,
        "config": {},
        "environment": {},
        "plugins": {},
        "parts": {},
        "notes": (),
        "data_notes": (),
        "scores": {},
        "cost": {},
        "epochs": 0,
        "best_epoch": 0,
        "steps": None,
        "loss_gradients": (),
        "train_macro_recall": None,
        "error": "",
        "created": "",
        "finished": "",
        "served": False,
        "differs": (),
    }


def test_scores_have_the_names_that_stored_runs_have() -> None:
    assert MACRO_SCORES == ("macro_recall", "macro_f1", "accuracy", "mcc", "auroc", "log_loss", "ece")
    assert CLASS_SCORES == ("recall", "precision", "f1")


def test_a_run_is_named_by_its_preset_and_synthetic_data_say_so() -> None:
    assert RUN.reference == "lstm"
    assert replace(RUN, preset="small").reference == "lstm.small"
    assert RUN.dataset_label == "waves"
    assert replace(RUN, synthetic=True).dataset_label == "waves (synthetic)"


def test_a_score_is_a_number_or_none() -> None:
    run = replace(RUN, scores={"mcc": {"value": 0}, "auroc": {"value": None}}, parts={"shape": {"n_times": 48}})
    assert [run.score(name) for name in ("mcc", "auroc", "ece")] == [0.0, None, None]
    assert run.shape == {"n_times": 48}
