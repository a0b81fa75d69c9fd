"""Singer tap for what Marketo's bulk extract API exports."""
