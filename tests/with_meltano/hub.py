"""Hub: what a new user gets from the network, served on the loopback interface.

It stands for Meltano Hub, as far as `meltano add target-postgres` asks it, and for the host of this
project's definitions, which it serves with the wheel of this checkout in place of the package.
"""

from __future__ import annotations

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[2]
API = "/meltano/api/v1/plugins/loaders"
DEFINITIONS = "/tap-marketo-bulk/tap-marketo-bulk/main/plugins/"
POSTGRES = {
    "name": "target-postgres",
    "namespace": "target_postgres",
    "variant": "meltanolabs",
    "pip_url": "meltanolabs-target-postgres==0.8.1",
    "executable": "target-postgres",
    "capabilities": ["about", "stream-maps", "schema-flattening"],
    "settings": [
        {"name": "host"},
        {"name": "port", "kind": "integer"},
        {"name": "user"},
        {"name": "password", "kind": "string", "sensitive": True},
        {"name": "database"},
        {"name": "default_target_schema"},
        {"name": "hard_delete", "kind": "boolean"},
        {"name": "activate_version", "kind": "boolean"},
    ],
}


@contextlib.contextmanager
def running_hub(wheel: Path) -> Iterator[str]:
    """Serve until the block ends; yield the base URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.pages = _pages(wheel)  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    base_url = f"http://127.0.0.1:{server.server_port}"
    server.base_url = base_url  # type: ignore[attr-defined]
    try:
        yield base_url
    finally:
        server.shutdown()
        server.server_close()


def _pages(wheel: Path) -> Mapping[str, str]:
    variants = {"meltanolabs": {"ref": f"BASE_URL{API}/target-postgres--meltanolabs"}}
    index = {
        "target-postgres": {
            "logo_url": "",
            "default_variant": "meltanolabs",
            "variants": variants,
        }
    }
    pages = {
        f"{API}/index": json.dumps(index),
        f"{API}/target-postgres--meltanolabs": json.dumps(POSTGRES),
    }
    for path in (ROOT / "plugins").glob("*/*.yml"):
        text = path.read_text().replace(
            "pip_url: tap-target-marketo-bulk\n",
            f"pip_url: -c {ROOT / 'constraints.txt'} {wheel}\n",
        )
        pages[f"{DEFINITIONS}{path.relative_to(ROOT / 'plugins').as_posix()}"] = text
    return pages


class _Handler(BaseHTTPRequestHandler):
    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing on stderr."""

    def do_GET(self) -> None:
        """Answer with a page, or 404."""
        text = self.server.pages.get(self.path)  # type: ignore[attr-defined]
        self.send_response(404 if text is None else 200)
        self.end_headers()
        if text is not None:
            base_url = self.server.base_url  # type: ignore[attr-defined]
            self.wfile.write(text.replace("BASE_URL", base_url).encode())
