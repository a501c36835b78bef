"""The file of a checkpoint: plain values and tensors, followed by the sha256 of its bytes.

Both are in one file, which is written atomically: a kill at any moment leaves a whole checkpoint, or the one before.
"""

import hashlib
import io
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zoo.errors import StoreError
from zoo.store.files import write_atomically

State = dict[str, Any]
DIGEST_BYTES = hashlib.sha256().digest_size


def write_checkpoint(path: Path, state: object) -> None:
    """Write a state with its digest. Raises StoreError if it cannot be written."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    buffer.write(hashlib.sha256(buffer.getbuffer()).digest())
    write_atomically(path, buffer.getbuffer())


def read_checkpoint(path: Path, device: torch.device) -> State:
    """Return the state, with its tensors on the device. Runs no code of the file.

    Raises StoreError if the file cannot be read, has changed since it was written, or holds no state.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StoreError(f"checkpoint {path} cannot be read: {error.strerror}") from error
    payload = memoryview(content)[:-DIGEST_BYTES]
    if hashlib.sha256(payload).digest() != content[-DIGEST_BYTES:]:
        raise StoreError(f"checkpoint {path} is damaged, or from an earlier version: its sha256 differs")
    try:
        state = torch.load(io.BytesIO(payload), map_location=device, weights_only=True)
    except Exception as error:  # anybody can write a file with a sha256
        raise unusable(path) from error
    if not isinstance(state, dict):
        raise unusable(path)
    return state


def unusable(path: Path) -> StoreError:
    return StoreError(f"checkpoint {path} cannot be used: it does not fit this network and its settings")


def check_form(mine: object, stored: object) -> None:
    """Raise ValueError unless a stored value has the keys, lengths, types and shapes of the present one."""
    if isinstance(mine, Tensor) and isinstance(stored, Tensor):
        same, parts = (mine.shape, mine.dtype) == (stored.shape, stored.dtype), []
    elif isinstance(mine, dict) and isinstance(stored, dict):
        same = mine.keys() == stored.keys()
        parts = [(mine[name], stored[name]) for name in mine] if same else []
    elif isinstance(mine, list | tuple) and isinstance(stored, list | tuple):
        same, parts = len(mine) == len(stored), list(zip(mine, stored, strict=False))
    else:
        same, parts = type(mine) is type(stored), []
    if not same:
        raise ValueError(f"{type(stored).__name__} in place of {type(mine).__name__}")
    for one, other in parts:
        check_form(one, other)
