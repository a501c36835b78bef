"""Data sets, the protocols that split them, and the harness around resamplers."""

from zoo.data.series import LEFT_OUT, TEST, TRAIN, VALIDATION, DeclaredSplit, Floats, Ints, LabelledSeries

__all__ = ["LEFT_OUT", "TEST", "TRAIN", "VALIDATION", "DeclaredSplit", "Floats", "Ints", "LabelledSeries"]
