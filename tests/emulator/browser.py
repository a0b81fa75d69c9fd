"""The page in a real browser: what it shows, what its buttons do, and a picture of it.

python tests/emulator/browser.py [PICTURE]

Needs `chromium` and `chromedriver` on the path (`apt-get install chromium chromium-driver`).
It ends with 0 if the page does what it should; with a name, the picture is written there, and
beside it one in dark colours.
"""

from __future__ import annotations

import base64
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from marketo_emulator import Emulator, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--window-size=1200,1000",
)  # fmt: skip
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
_PATIENCE_SECONDS = 30


class Browser:
    """A headless browser, driven by the WebDriver protocol."""

    def __init__(self, driver: str, profile: Path, *, dark: bool) -> None:
        flags = [*_FLAGS, f"--user-data-dir={profile}"]
        if dark:
            flags.append("--blink-settings=preferredColorScheme=0")
        options = {"goog:chromeOptions": {"args": flags}, "goog:loggingPrefs": {"browser": "ALL"}}
        reply = requests.post(
            f"{driver}/session", json={"capabilities": {"alwaysMatch": options}}, timeout=60
        ).json()
        self._session = f"{driver}/session/{reply['value']['sessionId']}"

    def call(self, method: str, path: str, **body: Any) -> Any:
        """Return the value of a WebDriver call."""
        content = body if method == "POST" else None
        reply = requests.request(method, f"{self._session}{path}", timeout=60, json=content)
        return reply.json()["value"]

    def run(self, script: str) -> Any:
        """Return what a script in the page returns."""
        return self.call("POST", "/execute/sync", script=f"return {script}", args=[])

    def click(self, selector: str) -> None:
        """Click an element, as a person would."""
        found = self.call("POST", "/element", using="css selector", value=selector)
        self.call("POST", f"/element/{found[_ELEMENT]}/click")

    def wait(self, script: str) -> None:
        """Wait until a script returns something true."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not self.run(script):
            if time.monotonic() > deadline:
                raise SystemExit(f"this never came true: {script}")
            time.sleep(0.1)

    def picture(self, path: Path) -> None:
        """Write a picture of the window."""
        path.write_bytes(base64.b64decode(self.call("GET", "/screenshot")))


@contextmanager
def browser(*, dark: bool = False) -> Iterator[Browser]:
    """Start a driver and a browser with an empty profile, and end both."""
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            ["chromedriver", "--port=0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        try:
            port = next(
                line.rstrip(".\n ").rpartition(" ")[2]
                for line in process.stdout
                if "started successfully" in line
            )
            opened = Browser(f"http://127.0.0.1:{port}", Path(folder), dark=dark)
            yield opened
            opened.call("DELETE", "")
        finally:
            process.terminate()
            process.wait()
            process.stdout.close()


def check(page: Browser, emulator: Emulator) -> None:
    """Look at everything on the page, and press its buttons."""
    page.call("POST", "/url", url=f"{emulator.base_url}/")
    page.wait("document.body.dataset.drawn > 0")
    page.wait("document.querySelectorAll('#programs tbody tr').length === 12")
    for holder in ("quotas", "members", "leads", "jobs", "requests"):
        page.wait(f"document.querySelectorAll('#{holder} :is(tr, progress)').length > 3")
    page.wait("document.querySelectorAll('#line rect.bar').length >= 8")
    page.wait("document.querySelectorAll('#calls rect').length > 0")
    page.click("#clear")
    page.click("#presets button")
    page.wait("document.querySelector('#faults code')?.textContent.includes('602')")
    page.click("#clear")
    page.wait("document.querySelector('#faults').textContent === 'No fault is set.'")
    before = emulator.clock.now()
    page.click("#day")
    page.wait("document.querySelector('#problem').textContent === ''")
    wait_for(lambda: (emulator.clock.now() - before).days == 1)
    page.click("#change")
    wait_for(lambda: emulator.store.member_count > 400)
    logged = page.call("POST", "/se/log", type="browser")
    assert logged == [], logged
    width = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert page.run(width), "the page is wider than the window"


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something has happened."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("a button had no effect")
        time.sleep(0.05)


def work(emulator: Emulator) -> None:
    """Make jobs of all kinds, one of which fails, and a few calls that are refused."""
    credentials = {"client_id": emulator.client_id, "client_secret": emulator.client_secret}
    parameters = {"grant_type": "client_credentials", **credentials}
    reply = requests.get(f"{emulator.identity_url}/oauth/token", params=parameters, timeout=60)
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {reply.json()['access_token']}"
    now = emulator.clock.now()
    span = {"startAt": f"{now:%Y-%m-01T00:00:00Z}", "endAt": f"{now:%Y-%m-%dT%H:%M:%SZ}"}
    wanted = [
        *(("program/members", ["leadId", "statusName"], {"programId": 1001 + n}) for n in range(5)),
        ("leads", ["id", "email"], {"createdAt": span}),
        ("activities", ["leadId", "attributes"], {"createdAt": span}),
        ("customobjects/car_c", ["vin"], {"updatedAt": span}),
        ("program/members", ["nope"], {"programId": 1001}),
    ]
    for kind, fields, conditions in wanted:
        base = f"{emulator.base_url}/bulk/v1/{kind}/export"
        body = {"fields": fields, "filter": conditions}
        made = session.post(f"{base}/create.json", json=body, timeout=60).json()
        if made["success"]:
            session.post(f"{base}/{made['result'][0]['exportId']}/enqueue.json", timeout=60)
    file = {"file": ("f.csv", b"email\nnew@example.com\n", "text/csv")}
    url = f"{emulator.base_url}/bulk/v1/program/1005/members/import.json"
    status = {"format": "csv", "programMemberStatus": "On List"}
    session.post(url, params=status, files=file, timeout=60)


def main(arguments: list[str]) -> int:
    """Check the page, and take pictures if there is a name for them."""
    for dark in (True, False):
        with Emulator(job_seconds=4) as emulator, browser(dark=dark) as page:
            emulator.faults.add(Fault(operation="export.job", nth=3, outcome="Failed"))
            work(emulator)
            # Some jobs have ended by then, two are at work, and others wait.
            emulator.advance(10)
            page.call("POST", "/url", url=f"{emulator.base_url}/")
            page.wait("document.querySelectorAll('#line rect.bar').length >= 8")
            if arguments:
                light = Path(arguments[0])
                page.picture(light.with_stem(f"{light.stem}-dark") if dark else light)
            if not dark:
                check(page, emulator)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
