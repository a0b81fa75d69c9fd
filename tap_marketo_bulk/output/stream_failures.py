"""Stream failures: what a stream fails with costs that stream, and is told in the end."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from marketo_bulk import MarketoBulkError
from singer_marketo.outcome import current
from singer_marketo.several import SeveralError

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger(__name__)


class StreamFailures:
    """What streams have failed with in a run that goes on with the others.

    With `stops_at_first`, and outside of `told`, an error ends whatever it is raised in.
    """

    def __init__(self, *, stops_at_first: bool) -> None:
        self._stops_at_first = stops_at_first
        self._goes_on = False
        self._errors: dict[str, MarketoBulkError] = {}

    def spare_others(self, error: BaseException) -> bool:
        """Return whether the streams that have not failed go on after an error."""
        return (
            self._goes_on
            and not self._stops_at_first
            and isinstance(error, MarketoBulkError)
            and not error.concerns_all
        )

    def take(self, stream: str, error: MarketoBulkError) -> bool:
        """Note what a stream has failed with; return whether the others go on.

        An error that ends the run is raised in the stream being read, whose work it was or not.
        """
        if error.concerns_all:
            return False
        stream = stream if error.owner is None else str(error.owner)
        error.subject = f"stream {stream}"
        outcome = current()
        if outcome is not None:
            outcome.name_failed(stream)
        if not self.spare_others(error):
            return False
        if stream not in self._errors:
            self._errors[stream] = error
            logger.warning(
                "The stream %s has failed (%s); the others go on, and the run will end with an "
                "error",
                stream,
                type(error).__name__,
            )
        return True

    @contextlib.contextmanager
    def told(self) -> Iterator[None]:
        """Go on after failures of single streams inside, and raise them at the end.

        Raises: the error of the one stream that has failed; SeveralError for more, or with
            another error that has ended the run.
        """
        self._goes_on = True
        try:
            yield
        except MarketoBulkError as error:
            together = self._with(error)
            if together is error:
                raise
            raise together from error
        except BaseException:
            for failed in self._errors.values():
                logger.error("%s", failed)  # noqa: TRY400  # its sentence, not our stack
            raise
        finally:
            self._goes_on = False
        if self._errors:
            raise self._with()

    def _with(self, *last: MarketoBulkError) -> MarketoBulkError:
        in_order = (self._errors[stream] for stream in sorted(self._errors))
        errors = dict.fromkeys((*in_order, *last))
        self._errors = {}
        return next(iter(errors)) if len(errors) == 1 else SeveralError(errors)
