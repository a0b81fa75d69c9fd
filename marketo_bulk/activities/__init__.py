"""Activities by REST: their types, and what happened from a moment on, page by page."""
