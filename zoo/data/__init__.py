"""Data sets, the protocols that separate them, and the resamplers' harness."""

from zoo.data.series import LEFT_OUT, TEST, TRAIN, VALIDATION, DeclaredSplit, Floats, Ints, LabelledSeries

__all__ = ["LEFT_OUT", "TEST", "TRAIN", "VALIDATION", "DeclaredSplit", "Floats", "Ints", "LabelledSeries"]
