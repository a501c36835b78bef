"""An observer plugin: write one line of JSON for each epoch and each finished run to the file TRACKER_FILE."""

import json
import os

import zoo

ZOO_API = "1.0"


@zoo.hookimpl
def zoo_epoch_finished(run, epoch, scores):
    _append({"run": run.id, "epoch": epoch, **scores})


@zoo.hookimpl
def zoo_run_finished(run):
    _append({"run": run.id, "status": run.status, "macro_recall": run.score("macro_recall")})


def _append(line):
    if path := os.environ.get("TRACKER_FILE"):
        with open(path, "a") as file:
            file.write(json.dumps(line) + "\n")
