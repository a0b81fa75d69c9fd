"""Singer tap for Marketo program members, read from the bulk extract API."""
