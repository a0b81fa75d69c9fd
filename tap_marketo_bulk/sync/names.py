"""Stream names: what a stream, its STATE and what it is made of are called."""

from __future__ import annotations

from dataclasses import dataclass

EVERYTHING = 0
"""The one scope of an object whose jobs are over everything."""


@dataclass(frozen=True, slots=True)
class StreamNames:
    """The words of one stream, in STATE and in log lines.

    Shape: `bookmark` is the replication key. `record` is what one record is, in English. `scope`
        is one of the things a job is over, in English, at most `scopes_per_job` of them;
        `scopes_key` and `cohorts_key` name them, and the bookmarks of each, in STATE. All four are
        empty for an object whose jobs are over everything. `date_filter` is the filter by which
        what is new since the bookmark is asked for, if it is not called as that is. `whole_by` is
        the date filter, if there is one, by which everything can be read, window by window.
    """

    stream: str
    bookmark: str
    record: str
    scope: str = ""
    scopes_key: str = ""
    cohorts_key: str = ""
    scopes_per_job: int = 1
    plural: str = ""
    date_filter: str = ""
    whole_by: str = ""

    @property
    def records(self) -> str:
        """Return what many records are."""
        return self.plural or f"{self.record}s"

    @property
    def news_by(self) -> str:
        """Return the date filter by which what is new since the bookmark is asked for."""
        return self.date_filter or self.bookmark

    @property
    def has_scopes(self) -> bool:
        """Whether a job is over some of many scopes."""
        return bool(self.scopes_key)
