"""One call over HTTP: connection, token, retries, rate limit, error codes."""
