"""Bulk exports: what can be exported, the calls of a job, the download."""
