"""Shows how far the download of a model has come."""

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class Bar:
    """A progress bar on stderr, one line for each part of the download; off a terminal it shows nothing."""

    def __init__(self, *, is_shown: bool) -> None:
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=console, disable=not (is_shown and console.is_terminal))
        self._parts: dict[str, TaskID] = {}

    def __enter__(self) -> "Bar":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, doing: str, done: int, whole: int) -> None:
        """Show that so many bytes of a part are there."""
        if doing not in self._parts:
            self._parts[doing] = self._progress.add_task(doing, total=whole or None)
        self._progress.update(self._parts[doing], completed=done, total=whole or None)
