"""Bumps, early or late."""

import numpy as np

from zoo.data.series import LabelledSeries


def pulses(*, seed: int = 0) -> LabelledSeries:
    rng = np.random.default_rng(seed)
    labels = np.arange(200, dtype=np.int64) % 5 // 4
    centres = np.where(labels == 1, 24, 8)[:, None]
    bumps = np.exp(-((np.arange(32) - centres) ** 2) / 8) + 0.1 * rng.normal(size=(200, 32))
    return LabelledSeries(bumps[:, None].astype(np.float32), labels, ("early", "late"))
