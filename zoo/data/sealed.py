"""The seal: the scorer opens the test rows once, after training has ended."""

from typing import NoReturn

from zoo.data.rows import Rows
from zoo.errors import SealError


class SealedTest:
    """The sealed test rows of one run; only their number is visible.

    `open` raises SealError before `training_ended` was called, and on a second call. Pickling raises SealError too, so
    that test rows reach no process that trains.
    """

    def __init__(self, rows: Rows) -> None:
        self.__rows: Rows | None = rows
        self._size = len(rows)
        self._training_ended = False

    def __len__(self) -> int:
        return self._size

    def training_ended(self) -> None:
        """Allow `open`: from now on nothing is learnt or chosen."""
        self._training_ended = True

    def open(self) -> Rows:
        """Return the test rows, once."""
        if not self._training_ended:
            raise SealError("the test set stays sealed until training has ended")
        if self.__rows is None:
            raise SealError("the test set was already opened: it is scored only once")
        rows, self.__rows = self.__rows, None
        return rows

    def another(self) -> "SealedTest":
        """Return a new seal over the same rows. Raises SealError if this one was opened."""
        if self.__rows is None:
            raise SealError("the test set was already opened: no other run can use it")
        return SealedTest(self.__rows)

    def __reduce__(self) -> NoReturn:
        raise SealError("the test set must not leave its process before training has ended")
