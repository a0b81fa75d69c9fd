"""The emulator: a Marketo of one's own, as a library."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

from typing_extensions import Self

from marketo_emulator.application import Application
from marketo_emulator.clock import Clock, SystemClock
from marketo_emulator.options import Options
from marketo_emulator.server import LOOPBACK, LoopbackServer
from marketo_emulator.world import World

if TYPE_CHECKING:
    from marketo_emulator.exports.job import ExportJob
    from marketo_emulator.imports.imports import ImportJob
    from marketo_emulator.wire.request_log import RequestLog
    from marketo_emulator.workplace import JobSeconds

DEFAULT_CLIENT_ID = "emulator"
DEFAULT_CLIENT_SECRET = "emulator-secret"  # noqa: S105 - opens nothing but the emulator


class Emulator:
    """An instance with data in it; as a context manager also a server on a loopback port.

    ```python
    with Emulator(programs=12, members=400, seed=1, job_seconds=0.05) as emulator:
        requests.get(f"{emulator.identity_url}/oauth/token", params=...)
    ```

    `store` is what it knows, `faults` what goes wrong; `revoke_tokens`, `expire_tokens` and
    `others_use` are what happens without a call of one's own.
    Without `with` nothing listens, and `application` can be called as any WSGI application.
    """

    def __init__(  # noqa: PLR0913 - one call makes a whole instance; all but none are optional
        self,
        *,
        programs: int = 12,
        members: int = 400,
        seed: int = 1,
        job_seconds: JobSeconds = 0.05,
        options: Options | None = None,
        clock: Clock | None = None,
        client_id: str = DEFAULT_CLIENT_ID,
        client_secret: str = DEFAULT_CLIENT_SECRET,
        host: str = LOOPBACK,
        port: int = 0,
    ) -> None:
        self.clock = clock or SystemClock()
        self.options = options or Options()
        self.client_id = client_id
        self.client_secret = client_secret
        secrets = dict(((client_id, client_secret), *self.options.other_clients))
        self._world = World(self.clock, self.options, secrets, seed=seed, job_seconds=job_seconds)
        self._world.store.fill(programs, members)
        self.store = self._world.store
        self.faults = self._world.faults
        self.revoke_tokens = self._world.revoke_tokens
        self.expire_tokens = self._world.expire_tokens
        self.others_use = self._world.others_use
        self._closing = Event()
        # A fault may wait for long; closing cuts every wait short.
        self.application = Application(self._world, sleep=self._closing.wait)
        self._address = host, port
        self._server: LoopbackServer | None = None

    def __enter__(self) -> Self:
        host, port = self._address
        self._server = LoopbackServer(self.application, host=host, port=port)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the server and remove the files; harmless when done twice."""
        self._closing.set()
        if self._server is not None:
            self._server.close()
            self._server = None
        self._world.close()

    @property
    def base_url(self) -> str:
        """What takes the place of `https://<munchkin id>.mktorest.com`."""
        if self._server is None:
            message = "the emulator is not serving: use it in a with statement"
            raise RuntimeError(message)
        return self._server.base_url

    @property
    def identity_url(self) -> str:
        """Where tokens come from, less `/oauth/token`."""
        return f"{self.base_url}/identity"

    @property
    def requests(self) -> RequestLog:
        """Every request that was answered."""
        return self.application.requests

    @property
    def jobs(self) -> list[ExportJob]:
        """Every export, oldest first, brought up to the present."""
        with self._world.at():
            return list(self._world.exports.jobs.values())

    @property
    def imports(self) -> list[ImportJob]:
        """Every import, oldest first, brought up to the present."""
        with self._world.at():
            return list(self._world.imports.jobs.values())

    def advance(self, seconds: float) -> None:
        """Let time pass, whichever clock is in use."""
        self.clock.advance(seconds)
        with self._world.at():
            pass
