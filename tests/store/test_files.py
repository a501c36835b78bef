"""Files are either whole or not there, and a hash says which bytes they hold."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from zoo.errors import StoreError
from zoo.store.files import sha256, write_atomically


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """As on a full disk: files may not grow beyond `size` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_file_is_written_whole_with_its_folders_and_over_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.bin"
    for content in (b"a longer first content", memoryview(b"second")):
        write_atomically(path, content)
        assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


def test_a_file_is_on_the_disk_before_it_takes_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, sync, seen = tmp_path / "a.bin", os.fsync, []
    path.write_bytes(b"old")

    def watch(descriptor: int) -> None:
        sync(descriptor)
        seen.append((os.fstat(descriptor).st_size, path.read_bytes()))

    monkeypatch.setattr(os, "fsync", watch)
    write_atomically(path, b"the new content")
    assert seen == [(15, b"old")]


@pytest.mark.parametrize("size", [1000, 1_000_000], ids=["small", "larger than a buffer"])
def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.bin"
    write_atomically(path, b"old")
    with largest_file(100), pytest.raises(StoreError, match=r"a\.bin cannot be written: File too large"):
        write_atomically(path, b"x" * size)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_path_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    folder, file = tmp_path / "folder", tmp_path / "file"
    folder.mkdir()
    file.write_bytes(b"")
    with pytest.raises(StoreError, match="folder cannot be written: Is a directory"):
        write_atomically(folder, b"x")
    with pytest.raises(StoreError, match="below cannot be written: File exists"):
        write_atomically(file / "below", b"x")
    assert sorted(tmp_path.iterdir()) == [file, folder]


def test_the_hash_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"abc")
    assert sha256(tmp_path / "a.txt") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    with pytest.raises(StoreError, match=r"b\.txt cannot be read: No such file or directory"):
        sha256(tmp_path / "b.txt")
