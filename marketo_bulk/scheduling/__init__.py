"""Many export jobs at a time: submit, poll, download, within Marketo's limits."""
