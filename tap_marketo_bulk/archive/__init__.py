"""The archive: export files as Marketo sent them, and reading them in its place."""
