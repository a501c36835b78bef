"""Columns of progress bars."""

from rich.progress import Task, TextColumn
from rich.text import Text

from zoo.cli.views.terminal import plain


class PlainColumn(TextColumn):
    """A column with plain text, see `plain`."""

    def render(self, task: Task) -> Text:
        return plain(self.text_format.format(task=task))
