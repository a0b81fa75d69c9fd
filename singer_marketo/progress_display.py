"""Progress display: what a person sees of a run that goes on: live on a terminal, else lines."""

from __future__ import annotations

import logging
import sys
import threading
from typing import TYPE_CHECKING, Any

from singer_sdk import metrics
from typing_extensions import Self

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.live import Live

    from singer_marketo.progress import Progress

REFRESHES_PER_SECOND = 2

logger = logging.getLogger(__name__)


class ProgressDisplay:
    """Shows snapshots of a run on stderr until it is closed. A context manager.

    On a terminal, with the package rich installed, two lines at its end are kept up to date, and
    are gone when the run ends. Elsewhere a line is logged once a minute, with metrics of the same
    figures. Nothing is ever written to stdout.
    """

    every_seconds = 60.0
    """How often a line is logged where there is no terminal, and metrics anywhere."""

    def __init__(self, snapshot: Callable[[], Progress], stream: str) -> None:
        self._snapshot = snapshot
        self._stream = stream
        self._over = threading.Event()
        self._live: Live | None = None
        self._handlers: list[logging.StreamHandler[Any]] = []

    def __enter__(self) -> Self:
        if sys.stderr is not None and sys.stderr.isatty():
            self._live = self._show_live()
        threading.Thread(target=self._log_lines, name="progress", daemon=True).start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Show nothing more, and leave the terminal as it was; may be called again."""
        self._over.set()
        live, self._live = self._live, None
        if live is None:
            return
        live.stop()
        for handler in self._handlers:
            handler.setStream(sys.stderr)

    def _log_lines(self) -> None:
        while not self._over.wait(self.every_seconds):
            progress = self._snapshot()
            if self._live is None:
                logger.info("%s", progress.line())
            for point in progress.points(self._stream):
                metrics.log(metrics.get_metrics_logger(), point)

    def _show_live(self) -> Live | None:
        try:
            from rich.console import Console  # noqa: PLC0415  # an extra, and slow to import
            from rich.live import Live  # noqa: PLC0415
            from rich.text import Text  # noqa: PLC0415
        except ImportError:
            return None
        real = sys.stderr
        live = Live(
            console=Console(file=real),
            get_renderable=lambda: Text(self._text()),
            refresh_per_second=REFRESHES_PER_SECOND,
            transient=True,
            redirect_stdout=False,
        )
        live.start()
        # A process that is ended at once would leave the terminal without its cursor.
        live.console.show_cursor(show=True)
        # Log lines go above the display: through what has taken the place of stderr.
        for each in _handlers_on(real):
            each.setStream(sys.stderr)
            self._handlers.append(each)
        return live

    def _text(self) -> str:
        progress = self._snapshot()
        return f"{progress.line()}\n{progress.states_line()}".rstrip()


def _handlers_on(stream: object) -> list[logging.StreamHandler[Any]]:
    """Return the handlers of all loggers that write to a stream."""
    loggers = [logging.getLogger(), *logging.Logger.manager.loggerDict.values()]
    return [
        handler
        for each in loggers
        if isinstance(each, logging.Logger)
        for handler in each.handlers
        if isinstance(handler, logging.StreamHandler) and handler.stream is stream
    ]
