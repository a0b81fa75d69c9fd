from __future__ import annotations

from typing import Any

import pytest

from marketo_bulk.errors import ConfigurationError
from marketo_bulk.http.connection import Connection


def connection(**members: Any) -> Connection:
    """Return a connection that works, or one that differs in some member."""
    usual: dict[str, Any] = {
        "base_url": "https://h.example",
        "client_id": "id",
        "client_secret": "s3cret",
    }
    return Connection(**usual | members)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://123-abc-456.mktorest.com", "https://123-abc-456.mktorest.com"),
        ("https://123-abc-456.mktorest.com/", "https://123-abc-456.mktorest.com"),
        ("https://123-abc-456.mktorest.com/rest", "https://123-abc-456.mktorest.com"),
        ("https://123-abc-456.mktorest.com/rest/", "https://123-abc-456.mktorest.com"),
        ("https://123-abc-456.mktorest.com//rest//", "https://123-abc-456.mktorest.com"),
        (" HTTPS://H.example ", "https://h.example"),
        ("https://proxy.example:8443//marketo/rest", "https://proxy.example:8443/marketo"),
        ("http://127.0.0.1:80", "http://127.0.0.1:80"),
        ("http://localhost:8080/", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("https://h.example/interest", "https://h.example/interest"),
    ],
)
def test_base_url_is_normalised(text: str, expected: str) -> None:
    """A12: what Admin shows, with /rest or a slash, is the same instance."""
    made = connection(base_url=text)
    assert (expected, f"{expected}/identity/oauth/token") == (made.base_url, made.token_url)


@pytest.mark.parametrize(
    "identity_url",
    [
        "https://i.example/identity",
        "https://i.example/identity/",
        "https://i.example/identity/oauth/token",
    ],
)
def test_identity_url_may_name_the_service_or_its_address(identity_url: str) -> None:
    """Both forms are printed by Adobe."""
    assert (
        connection(identity_url=identity_url).token_url == "https://i.example/identity/oauth/token"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": ""},
        {"base_url": "123-abc-456.mktorest.com"},
        {"base_url": "ftp://h.example"},
        {"base_url": "https://"},
        {"base_url": "http://h.example"},
        {"base_url": "http://127.0.0.1.evil.example"},
        {"base_url": "https://user:s3cret@h.example"},
        {"base_url": "https://h.example?x=1"},
        {"base_url": "https://h.example#x"},
        {"base_url": "https://h.example:port"},
        {"base_url": "https://[h.example"},
        {"identity_url": "http://h.example/identity"},
        {"client_id": ""},
        {"client_secret": ""},
        {"calls_per_20_seconds": 0},
        {"max_concurrent_calls": 0},
        {"request_timeout_seconds": 0},
        {"request_timeout_seconds": float("nan")},
        {"max_retry_seconds": -1},
    ],
    ids=repr,
)
def test_connection_that_cannot_work_is_refused_on_one_line(wrong: dict[str, object]) -> None:
    """Every wrong setting is said at once, without the secret."""
    with pytest.raises(ConfigurationError) as caught:
        connection(**wrong)
    assert next(iter(wrong)) in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_connection_hides_its_secret() -> None:
    """What is printed by accident holds no secret."""
    assert "s3cret" not in repr(connection())


@pytest.mark.parametrize(
    ("url", "expected"),
    [("http://127.0.0.9", True), ("http://localhost", True), ("https://h.example", False)],
)
def test_loopback_is_known(url: str, *, expected: bool) -> None:
    """Only this machine may be called without TLS and past the proxy."""
    assert expected is connection(base_url=url).is_loopback
