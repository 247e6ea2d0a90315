"""Tells what happens, for people, and remembers what did not go as it should."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from rich.console import Console
from rich.markup import escape
from rich.table import Table

# Where the output is no terminal: a file, a log of CI.
_PLAIN_WIDTH = 120


class Story:
    """Writes to standard output; in colour where that is a terminal."""

    def __init__(self) -> None:
        # A terminal without UTF-8 shall see question marks rather than a traceback.
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="replace")
        self._console = Console(width=None if sys.stdout.isatty() else _PLAIN_WIDTH, highlight=False)
        self.failures: list[str] = []

    def waiting(self, text: str) -> AbstractContextManager[object]:
        """Show that something takes its time."""
        return self._console.status(escape(text))

    def act(self, title: str) -> None:
        """Begin another part."""
        self._console.print()
        self._console.rule(f"[bold]{escape(title)}", align="left", style="cyan")

    def tell(self, text: str) -> None:
        """Say something."""
        self._console.print(f"            {escape(text)}")

    @contextmanager
    def step(self) -> Iterator[Callable[[str], None]]:
        """Measure the block, then say what it passed to the function it got, with the time taken."""
        said: list[str] = []
        start = time.perf_counter()
        yield said.append
        taken = duration(time.perf_counter() - start)
        for text in said:
            self._console.print(f"[cyan]{taken:>10}[/]  {escape(text)}")
            taken = ""

    def expect(self, holds: bool, text: str) -> None:
        """Say that something holds, or that it does not, which makes the demo fail."""
        if holds:
            self._console.print(f"         [green]✓[/]  {escape(text)}")
        else:
            self.fail(f"not so: {text}")

    def fail(self, text: str) -> None:
        """Say and remember that something went wrong."""
        self.failures.append(text)
        self._console.print(f"         [bold red]✗[/]  {escape(text)}")

    def table(self, *columns: str) -> Table:
        """A table to fill and `show`."""
        table = Table(title_justify="left", header_style="bold")
        for column in columns:
            table.add_column(column, overflow="fold")
        return table

    def show(self, table: Table) -> None:
        """Print a table."""
        self._console.print(table)

    def end(self, seconds: float) -> int:
        """Say how it went; return the exit code."""
        self._console.print()
        if not self.failures:
            self._console.print(f"[bold green]Everything held[/], in {duration(seconds)}.")
            return 0
        self._console.print(f"[bold red]{len(self.failures)} expectation(s) failed:")
        for failure in self.failures:
            self._console.print(f"  [red]✗[/] {escape(failure.splitlines()[0])}")
        return 1


def duration(seconds: float) -> str:
    """A time as people read it."""
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def rupees(amount_minor: int) -> str:
    """An amount of paise in rupees, grouped as in India: ₹1,23,456.00."""
    whole, paise = divmod(abs(amount_minor), 100)
    head, tail = str(whole)[:-3], str(whole)[-3:]
    while head:
        head, tail = head[:-2], f"{head[-2:]},{tail}"
    return f"{'-' if amount_minor < 0 else ''}₹{tail}.{paise:02d}"
