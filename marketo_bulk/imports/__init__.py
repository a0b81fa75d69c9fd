"""Bulk imports: the calls of a job."""
