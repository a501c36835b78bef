"""The seal: test rows that the scorer opens once, after training has ended."""

from typing import NoReturn

from zoo.data.rows import Rows
from zoo.errors import SealError


class SealedTest:
    """Holds the test rows of one run. How many there are and what they are called is all that shows.

    `open` before `training_ended` was called, or a second time, raises SealError; so does an attempt to
    pickle it, which is how rows would get into another process.
    """

    def __init__(self, rows: Rows) -> None:
        self.__rows: Rows | None = rows
        self._size = len(rows)
        self._training_ended = False

    def __len__(self) -> int:
        return self._size

    def training_ended(self) -> None:
        """Say that nothing more will be learnt or chosen; only then can the seal be broken."""
        self._training_ended = True

    def open(self) -> Rows:
        """The test rows, once."""
        if not self._training_ended:
            raise SealError("the test set stays sealed until training has ended")
        if self.__rows is None:
            raise SealError("the test set was opened already: it is scored once")
        rows, self.__rows = self.__rows, None
        return rows

    def another(self) -> "SealedTest":
        """A fresh seal over the same rows, while this one is unbroken."""
        if self.__rows is None:
            raise SealError("the test set was opened already: no other run can have it from here")
        return SealedTest(self.__rows)

    def __reduce__(self) -> NoReturn:
        raise SealError("the test set does not leave the process that scores it")
