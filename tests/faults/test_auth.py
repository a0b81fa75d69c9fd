"""What goes wrong with tokens and permissions, each named by its id (docs/faults.md)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from marketo_bulk.errors import CredentialsError, RejectedError, TokenExpiredError
from marketo_emulator import Fault
from tests.faults.drill import jobs_in

if TYPE_CHECKING:
    from tests.faults.drill import Drill

IDENTITY = "identity.token"
OAUTH_ERROR = json.dumps({"error": "unauthorized", "error_description": "No client with that id"})
JSON_HEADERS = {"Content-Type": "application/json"}


@pytest.mark.fault(
    "A1", "the token expires (602) while a job runs", "renews it and polls the same job on"
)
def test_a1_token_that_expires_while_polling_is_renewed(drill: Drill) -> None:
    """One refused call, one more token, one job."""
    drill.arm(Fault(operation="export.status", code="602"))
    drill.assert_whole(drill.run())
    assert drill.operations() == ["create", "enqueue", "status", "status", "file"]
    assert drill.count(IDENTITY) == 2


@pytest.mark.fault(
    "A2",
    "601 as JSON with status 200 in place of the rest of a file",
    "renews the token, resumes at the same byte; JSON is never taken for rows",
)
def test_a2_token_refused_inside_a_download_is_renewed(drill: Drill) -> None:
    """A part, a refusal, the rest; the table has nothing of the refusal."""
    drill.arm(
        Fault(operation="export.file", cut_after_bytes=5_000),
        Fault(operation="export.file", nth=2, code="601"),
    )
    drill.assert_whole(drill.run())
    assert drill.statuses("export.file") == [200, 200, 206]
    assert drill.count(IDENTITY) == 2


@pytest.mark.parametrize(
    "left",
    [
        pytest.param(
            2,
            id="A3",
            marks=pytest.mark.fault(
                "A3",
                "identity hands out the same token with two seconds left",
                "uses it until it is refused; no tight loop of asking",
            ),
        ),
        pytest.param(
            0,
            id="A4",
            marks=pytest.mark.fault(
                "A4", "identity hands out a token with no time left", "does the same"
            ),
        ),
    ],
)
def test_a3_a4_dying_token_is_used(drill: Drill, left: int) -> None:
    """A whole run asks for a token once."""
    drill.arm(Fault(operation=IDENTITY, put={"expires_in": left}, times=None))
    drill.assert_whole(drill.run())
    assert drill.count(IDENTITY) == 1


@pytest.mark.fault(
    "A3", "… and refuses it (602) while identity still hands it out", "waits for its end, once"
)
def test_a3_dead_token_handed_out_again_is_waited_for(drill: Drill) -> None:
    """The wait is as long as the token claims to live, and a second more."""
    drill.arm(
        Fault(operation=IDENTITY, put={"expires_in": 2}, times=2),
        Fault(operation="export.status", code="602"),
    )
    drill.assert_whole(drill.run())
    assert drill.clock.slept == [3]
    assert drill.count(IDENTITY) == 3


@pytest.mark.fault(
    "A5",
    "601 for ever, whatever the token",
    "fails after new tokens for two minutes; the job stays in STATE, taken over by the next run",
)
def test_a5_token_refused_for_ever_ends_the_run(drill: Drill) -> None:
    """A token for each try, growing pauses, and the job is not made again."""
    drill.arm(Fault(operation="export.status", code="601", times=None))
    error, failed = drill.run_fails(TokenExpiredError)
    assert "601" in str(error)
    assert drill.count("export.status") == drill.count(IDENTITY) == 12
    assert 60 < sum(drill.clock.slept) < 150
    assert jobs_in(failed) == [job.export_id for job in drill.emulator.jobs]
    drill.assert_next_run_completes(failed)
    # The job taken over, and one for the minutes that were waited.
    assert drill.count("export.create") == 2


@pytest.mark.fault(
    "A7",
    "identity refuses the client (401 invalid_client)",
    "fails at once and names the settings; the secret is in no log and no error",
)
def test_a7_refused_client_is_a_configuration_error(
    drill: Drill, caplog: pytest.LogCaptureFixture
) -> None:
    """Asked once, and what is said does not hold what was sent."""
    caplog.set_level("DEBUG")
    error, _ = drill.run_fails(CredentialsError, {"client_secret": "not-the-secret"})
    assert "Check client_id, client_secret" in str(error)
    assert "not-the-secret" not in str(error) + caplog.text
    assert drill.statuses(IDENTITY) == [401]


@pytest.mark.fault(
    "A8", "identity answers an error with status 200", "fails at once with what it says"
)
def test_a8_identity_error_with_status_200_is_an_error(drill: Drill) -> None:
    """The description is in the error, and nothing is asked of the API."""
    drill.arm(Fault(operation=IDENTITY, body=OAUTH_ERROR, headers=JSON_HEADERS))
    error, _ = drill.run_fails(CredentialsError)
    assert "No client with that id" in str(error)
    assert [entry.operation for entry in drill.emulator.requests] == [IDENTITY]


@pytest.mark.fault("A9", "a gateway's 502 page in place of a token", "asks again with pauses")
def test_a9_gateway_before_identity_is_waited_for(drill: Drill) -> None:
    """Growing waits, then the run goes on."""
    drill.arm(Fault(operation=IDENTITY, status=502, times=3))
    drill.assert_whole(drill.run())
    assert drill.clock.slept == [1, 2, 4]


@pytest.mark.fault(
    "A10", "another process with the same client has the token revoked", "gets another one"
)
def test_a10_token_revoked_by_others_is_replaced(drill: Drill) -> None:
    """Revoked after discovery: one refused call, and the run is none the worse."""
    drill.assert_whole(drill.run(between=drill.emulator.revoke_tokens))
    refused = [entry.error_code for entry in drill.emulator.requests if entry.error_code]
    assert (refused, drill.count(IDENTITY)) == (["601"], 2)


@pytest.mark.fault(
    "A11",
    "the API user may not describe (603), though it may export",
    "fails at once, names the call and the permission",
)
def test_a11_missing_permission_is_named(drill: Drill) -> None:
    """Not tried again, and nothing is exported."""
    drill.arm(Fault(operation="describe.members", code="603", times=None))
    error, _ = drill.run_fails(RejectedError)
    assert "describe program members" in str(error)
    assert 'Tick "Read-Only Lead" in the role of the API user' in str(error)
    assert (drill.count("describe.members"), drill.count("export.create")) == (1, 0)


@pytest.mark.parametrize("ending", ["/", "/rest", "/rest/", "//"])
@pytest.mark.fault("A12", "`base_url` ends in `/` or `/rest`", "is understood")
def test_a12_ending_of_base_url_does_not_matter(drill: Drill, ending: str) -> None:
    """Every call goes to a known address."""
    drill.assert_whole(drill.run({"base_url": drill.emulator.base_url + ending}))
    assert not [entry.path for entry in drill.emulator.requests if "//" in entry.path]
    assert drill.count("unknown") == 0
