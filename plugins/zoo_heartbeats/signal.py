"""From beats to rows: the sum of Gaussians, the noise of recordings, and the cut of Kachuee et al. 2018.

The cut (ECG Heartbeat Classification: A Deep Transferable Representation, arXiv:1805.00794): a row starts at the R
peak of the labelled beat and lasts RR + 0.2 of the next RR. It is scaled to [0, 1] by its own minimum and maximum,
then cut or zero-padded to 187 samples. A row therefore does not contain the P wave and QRS onset of its own beat, but
those of the next beat.
"""

import numpy as np
import numpy.typing as npt

from zoo_heartbeats.forms import CENTRE, HEIGHT, SINUS, T_EARLY, WAVES, WIDTH, Floats, P
from zoo_heartbeats.patients import Population
from zoo_heartbeats.rhythm import Ints, Rhythm

SAMPLE_RATE = 120  # Hz: every third sample of MIT-BIH's 360
WIDTH_SAMPLES = 187
_SPAN = 264  # samples: 1.8 s plus a fifth of it, the longest row before the cut
_STEPS = 200  # per mV: the resolution of MIT-BIH's analogue-to-digital converter
_TIMES = np.arange(_SPAN, dtype=np.float32) / np.float32(SAMPLE_RATE)


def draw_rows(rng: np.random.Generator, people: Population, patient: Ints, rhythm: Rhythm) -> Floats:
    """Return rows `(rows, 187)` in [0, 1] for the beats in `rhythm`."""
    raw = _render(_waves(rng, people, patient, rhythm))
    _add_recording(rng, people, patient, raw)
    np.rint(raw * _STEPS, out=raw)
    return _cut(raw, _lengths(rhythm))


def _waves(rng: np.random.Generator, people: Population, patient: Ints, rhythm: Rhythm) -> Floats:
    """Return all waves of each row, `(rows, waves, 3)`: height in mV, centre in s from the row's start, width in s."""
    rows = len(patient)
    share = rhythm.share[:, None, None]
    first = (1 - share) * people.forms[patient, rhythm.kind] + share * people.forms[patient, rhythm.other]
    second = people.forms[patient, rhythm.following].copy()
    sinus_p = people.forms[patient, SINUS, P].copy()
    mood = rng.normal(1.0, 0.12, (rows, len(WAVES))).astype(np.float32)
    for form, cycle in ((first, rhythm.before), (second, rhythm.after)):
        _vary(rng, form, mood)
        _stretch(form, cycle)
    first[:, P, HEIGHT] = 0.0
    quiet = people.fibrillation[patient] > 0
    second[quiet, P, HEIGHT] = 0.0
    sinus_p[quiet | (rhythm.missed == 0), HEIGHT] = 0.0
    sinus_p[:, CENTRE] += rhythm.missed
    second[:, :, CENTRE] += rhythm.after[:, None]
    slip = rng.normal(0.0, 0.004, (rows, 1)).astype(np.float32)  # s: annotations are near the peak, not exactly on it
    waves = np.concatenate([first, second, sinus_p[:, None]], axis=1)
    waves[:, :, CENTRE] += slip
    return waves


def _vary(rng: np.random.Generator, form: Floats, mood: Floats) -> None:
    """Vary the waves of each beat: no two beats of a person are equal."""
    rows, waves, _ = form.shape
    jitter = rng.standard_normal((3, rows, waves), dtype=np.float32)
    form[:, :, HEIGHT] *= mood * (1 + 0.10 * jitter[0])
    form[:, :, CENTRE] *= 1 + 0.03 * jitter[1]
    form[:, :, WIDTH] *= 1 + 0.08 * jitter[2]


def _stretch(form: Floats, cycle: Floats) -> None:
    """Scale the times of P and T by the square root of the preceding cycle (Bazett 1920), as the model does."""
    factor = np.sqrt(cycle)[:, None]
    form[:, P, CENTRE:] *= factor
    form[:, T_EARLY:, CENTRE:] *= factor[:, :, None]


def _render(waves: Floats) -> Floats:
    """Return the sum of Gaussians, `(rows, samples)` in mV."""
    total = np.zeros((len(waves), _SPAN), dtype=np.float32)
    bell = np.empty_like(total)
    for height, centre, width in waves.transpose(1, 2, 0):
        np.subtract(_TIMES, centre[:, None], out=bell)
        bell *= (np.float32(np.sqrt(0.5)) / width)[:, None]
        np.multiply(bell, bell, out=bell)
        np.negative(bell, out=bell)
        np.exp(bell, out=bell)
        bell *= height[:, None]
        total += bell
    return total


def _add_recording(rng: np.random.Generator, people: Population, patient: Ints, raw: Floats) -> None:
    """Add muscle noise, hum, baseline wander and fibrillatory waves to `raw`."""
    rows = len(raw)
    white = rng.standard_normal((rows, _SPAN + 1), dtype=np.float32)
    loud = people.noise[patient] * rng.lognormal(0.0, 0.7, rows).astype(np.float32)
    raw += loud[:, None] * (white[:, 1:] - 0.4 * white[:, :-1])  # muscle noise grows with frequency
    _add_sine(rng, raw, people.wander[patient], rng.uniform(0.15, 0.45, rows))  # breathing
    _add_sine(rng, raw, 0.3 * people.wander[patient], rng.uniform(0.5, 1.2, rows))  # movement
    _add_sine(rng, raw, people.mains[patient], np.full(rows, 60.0))
    _add_sine(rng, raw, people.fibrillation[patient], rng.uniform(5.0, 8.0, rows))


def _add_sine(rng: np.random.Generator, raw: Floats, size: Floats, hertz: npt.NDArray[np.float64]) -> None:
    turns = hertz.astype(np.float32)[:, None] * _TIMES + rng.random((len(raw), 1), dtype=np.float32)
    raw += size[:, None] * np.sin(np.float32(2 * np.pi) * turns)


def _lengths(rhythm: Rhythm) -> Ints:
    """Return the number of samples of each row before the cut, computed at 360 Hz first, like MIT-BIH's annotations."""
    whole = np.rint(360 * rhythm.after) + np.floor(0.2 * np.rint(360 * rhythm.later))
    return np.minimum((whole.astype(np.int64) + 2) // 3, _SPAN)


def _cut(raw: Floats, lengths: Ints) -> Floats:
    inside = np.arange(_SPAN) < lengths[:, None]
    low = np.where(inside, raw, np.inf).min(axis=1, keepdims=True)
    high = np.where(inside, raw, -np.inf).max(axis=1, keepdims=True)
    scaled = (raw - low) / (high - low)
    return np.where(inside, scaled, np.float32(0))[:, :WIDTH_SAMPLES]
