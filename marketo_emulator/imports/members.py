"""The import of program members: parameters, and what a row does (C§9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from marketo_emulator.data.fields import LEAD_FIELDS, MEMBER_FIELDS
from marketo_emulator.imports.leads import EMAIL, leads_by
from marketo_emulator.imports.rows import RowReader, folded
from marketo_emulator.wire.errors import MarketoError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from marketo_emulator.data.programs import Program, Status
    from marketo_emulator.data.store import Store
    from marketo_emulator.data.values import Value
    from marketo_emulator.imports.rows import ImportRow
    from marketo_emulator.options import Options

KIND = "program/members"
NOT_IN_PROGRAM = "Not in Program"
_LEAD = LEAD_FIELDS.position
_STATUS = MEMBER_FIELDS.position["statusName"]
# C§12, code 1037.
_REGRESSION = "Lead skipped because it is already in or past this status"


@dataclass(frozen=True, slots=True)
class MemberImport:
    """People by e-mail address, made members of one program with one status."""

    program_id: int
    status: str
    kind: str = KIND
    list_id: int | None = None

    def reader(self, header: Sequence[str], store: Store, options: Options) -> RowReader:
        """Return what understands the lines: lead fields, then custom member fields."""
        return RowReader(header, EMAIL, options, (store.lead_fields, store.member_fields))

    def begin(self, store: Store, options: Options) -> MemberRows:
        """Return what takes the rows.

        Raises: ValueError for a status the program does not have, or a program that is gone.
        """
        if self.program_id not in store.programs:
            raise ValueError("Program not found")
        if self.status != NOT_IN_PROGRAM:
            found = _status(store.programs[self.program_id], self.status, options)
            if found is None:
                raise ValueError("Program status not found")
        return MemberRows(self, store, options)


class MemberRows:
    """Rows on their way into the store; leads that do not exist are made."""

    def __init__(self, request: MemberImport, store: Store, options: Options) -> None:
        self._store = store
        self._options = options
        self._program = store.programs[request.program_id]
        found = _status(self._program, request.status, options)
        self._status = NOT_IN_PROGRAM if found is None else found.name
        self._found = leads_by(store, EMAIL)
        self.ids: set[object] = set()

    def apply(self, row: ImportRow, now: int) -> tuple[str, str]:
        """Change or make lead and member; returns why it failed, and a warning."""
        store, rows = self._store, self._store.member_rows[self._program.program_id]
        ids = self._found.get(folded(row.key), [])
        # Of several people with one address the one changed last is taken.
        lead_id = max(ids, key=store.changed_at, default=None)
        before = None if lead_id is None else rows.get(lead_id)
        policy, warning, status = self._options.status_regression, "", self._status
        if before is not None and self._goes_back(before[_STATUS]):
            if policy == "fail_row":
                return _REGRESSION, ""
            warning = _REGRESSION if policy == "warn" else ""
            status = status if policy == "apply" else str(before[_STATUS])
        values = {k: v for k, v in row.values.items() if not self._is_lead_field(k)}
        if lead_id is None:
            values = {"acquiredBy": True, **values}
        lead_id = self._put_lead(lead_id, row, now)
        self._put_member(lead_id, before, {"statusName": status, **values}, now)
        return "", warning

    def _put_lead(self, lead_id: int | None, row: ImportRow, now: int) -> int:
        """Change the lead, or make one whose acquisition program this is."""
        store = self._store
        values = {k: v for k, v in row.values.items() if self._is_lead_field(k)}
        if lead_id is None:
            acquired: dict[str, Value] = {"acquisitionProgramId": str(self._program.program_id)}
            lead_id = store.import_lead(None, {**acquired, **values}, now, KIND)
        elif set(values) - {"email"}:
            store.import_lead(lead_id, values, now, KIND)
        self._found[folded(row.key)] = [lead_id]
        self.ids.add(lead_id)
        return lead_id

    def _put_member(
        self, lead_id: int, before: tuple[Value, ...] | None, values: dict[str, Value], now: int
    ) -> None:
        store, program_id = self._store, self._program.program_id
        if values["statusName"] == NOT_IN_PROGRAM:
            if before is not None:
                store.import_removal(program_id, lead_id, now)
        elif before is None:
            store.import_new_member(program_id, lead_id, values, now)
        elif len(values) > 1 or values["statusName"] != before[_STATUS]:
            store.import_member(program_id, lead_id, values, now)

    def finish(self, now: int) -> None:
        """Do nothing more: there is no list."""

    def _is_lead_field(self, name: str) -> bool:
        return name in self._store.lead_fields.names

    def _goes_back(self, old: Value) -> bool:
        before, after = (
            self._program.channel.find(str(old)),
            self._program.channel.find(self._status),
        )
        return before is not None and after is not None and after.step < before.step


def _status(program: Program, name: str, options: Options) -> Status | None:
    return program.channel.find(name, any_case=not options.status_case_matters)


def member_import(
    program_id: int, parameters: Mapping[str, str], store: Store, options: Options
) -> MemberImport:
    """Return the checked parameters.

    Raises: MarketoError 1002, 1013, 1025 and, for what is refused by option, 1003.
    """
    for name in ("format", "programMemberStatus"):
        if not parameters.get(name):
            raise MarketoError("1002", f"Missing value for required parameter '{name}'")
    program = store.programs.get(program_id)
    if program is None:
        text = f"Program with id '{program_id}' not found"
        raise MarketoError(options.unknown_import_program_code, text)
    if program.program_type == "Email" and options.email_program_refused:
        raise MarketoError("1003", "Members cannot be imported into an email program")
    status = parameters["programMemberStatus"]
    if status == NOT_IN_PROGRAM:
        if options.not_in_program_refused:
            raise MarketoError("1025", "Program status not found")
    elif _status(program, status, options) is None and options.unknown_status == "refuse":
        raise MarketoError("1025", "Program status not found")
    return MemberImport(program_id, status)
