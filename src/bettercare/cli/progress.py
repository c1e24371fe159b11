"""Progress of long work: a bar on a terminal, nothing where the output is a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def shown(what: str, console: Console) -> Iterator[Callable[[int, int], None]]:
    """A function to call with (done, of) while the work goes on."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=None)

        def update(done: int, of: int) -> None:
            progress.update(task, completed=done, total=of)

        yield update
