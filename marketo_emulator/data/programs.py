"""The program: its channel, its statuses, and both as the asset API shows them."""

from __future__ import annotations

from dataclasses import dataclass

from marketo_emulator.data.values import moment_text


@dataclass(frozen=True, slots=True)
class Status:
    """One step of a channel."""

    name: str
    step: int
    success: bool = False
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Channel:
    """How members of a program progress."""

    channel_id: int
    name: str
    program_type: str
    statuses: tuple[Status, ...]
    created_at: int = 1_600_000_000

    def find(self, name: str, *, any_case: bool = False) -> Status | None:
        """Return the status of this name, or None."""
        for status in self.statuses:
            if status.name == name or (any_case and status.name.casefold() == name.casefold()):
                return status
        return None

    def status_id(self, name: str) -> int:
        """Return the number activities give a status; 0 is the step before the first one."""
        status = self.find(name)
        return self.channel_id * 100 + (0 if status is None else status.step)

    def shown(self, *, with_step_zero: bool = False) -> dict[str, object]:
        """Return the channel as `channels.json` shows it."""
        zero = (Status("Not in Program", 0),) if with_step_zero else ()
        return {
            "id": self.channel_id,
            "name": self.name,
            "applicableProgramType": self.program_type,
            "progressionStatuses": [
                {
                    "name": status.name,
                    "step": status.step,
                    "description": None,
                    "hidden": status.hidden,
                    "success": status.success,
                }
                for status in (*zero, *self.statuses)
            ],
            "createdAt": asset_moment(self.created_at),
            "updatedAt": asset_moment(self.created_at),
        }


@dataclass(frozen=True, slots=True)
class Program:
    """A program and what the asset API tells of it."""

    program_id: int
    name: str
    program_type: str
    channel: Channel
    created_at: int
    updated_at: int
    description: str = ""
    status: str = ""
    workspace: str = "Default"
    folder: tuple[str, int, str] | None = None
    """Type, id and name of the folder or program it lies in; one of the campaigns by default."""
    tags: tuple[tuple[str, str], ...] | None = None
    """Type and value of each tag; a region by default."""

    @property
    def parent(self) -> tuple[str, int, str]:
        """Type, id and name of what it lies directly in."""
        place = self.program_id % 5
        return self.folder or ("Folder", 10 + place, f"Campaigns {place}")

    @property
    def tag_values(self) -> tuple[tuple[str, str], ...]:
        """Type and value of each tag."""
        region = (("Region", ("EMEA", "AMER")[self.program_id % 2]),)
        return region if self.tags is None else self.tags

    @property
    def nurtures(self) -> bool:
        """Whether its members have a cadence and can run out of content."""
        return self.program_type == "Engagement"

    def shown(self) -> dict[str, object]:
        """Return the program as `programs.json` shows it (no tags, no costs: C§4.1)."""
        folder_type, folder_id, folder_name = self.parent
        return {
            "id": self.program_id,
            "name": self.name,
            "description": self.description,
            "createdAt": asset_moment(self.created_at),
            "updatedAt": asset_moment(self.updated_at),
            "url": f"https://app-emulator.marketo.com/#PG{self.program_id}A1",
            "type": self.program_type,
            "channel": self.channel.name,
            "folder": {"type": folder_type, "value": folder_id, "folderName": folder_name},
            "status": self.status,
            "workspace": self.workspace,
            "headStart": False,
        }

    def shown_alone(self) -> dict[str, object]:
        """Return the program as `program/{id}.json` shows it."""
        return {**self.shown(), "tags": self.shown_tags(), "costs": None}

    def shown_tags(self) -> list[dict[str, str]]:
        """Return all tags as the calls that have them do."""
        return [{"tagType": kind, "tagValue": value} for kind, value in self.tag_values]


def asset_moment(seconds: int) -> str:
    """Return a moment as the asset API writes it: `2015-11-18T15:25:35Z+0000`."""
    return f"{moment_text(seconds)}+0000"


def _steps(*names: str, success: str, hidden: str = "") -> tuple[Status, ...]:
    return tuple(
        Status(name, step, success=name == success, hidden=name == hidden)
        for step, name in enumerate(names, 1)
    )


# Names with digits in front are what real instances have; the awkward ones test readers.
CHANNELS = (
    Channel(
        1, "Email Send", "program",
        _steps("Sent", "02 Opened", "03 Clicked", "Unsubscribed", success="03 Clicked"),
    ),
    Channel(
        2, "Webinar", "event with webinar",
        _steps("Invited", "Registered", "No Show", "Attended", "Attended On-demand",
               success="Attended"),
    ),
    Channel(
        3, "Nurture", "nurture", _steps("Member", "Engaged", success="Engaged"),
    ),
    Channel(
        4, "Content", "program",
        _steps("Visited", "Filled-out Form", "Downloaded: eBook, 2nd ed.",
               success="Downloaded: eBook, 2nd ed."),
    ),
    Channel(
        5, "Trade Show", "event",
        _steps("On List", "Visited Booth", 'Met "VIP" 🦩', "Zu spät", success='Met "VIP" 🦩',
               hidden="Zu spät"),
    ),
    Channel(
        6, "List Import", "program", _steps("On List", "Influenced", success="Influenced"),
    ),
)  # fmt: skip

# What each further program is, in turn: type, place of its channel above, status, what it is for.
KINDS = (
    ("Email", 0, "unlocked", "Newsletter"),
    ("Event with Webinar", 1, "", "Webinar"),
    ("Engagement", 2, "on", "Nurture"),
    ("Default", 3, "", "Whitepaper"),
    ("Event", 4, "", "Trade show"),
    ("Default", 5, "", "Purchased list"),
    ("Email", 0, "locked", "Product launch"),
    ("Engagement", 2, "off", "Win-back"),
)
