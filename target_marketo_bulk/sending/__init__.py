"""Files to Marketo: queue, thread, journal."""
