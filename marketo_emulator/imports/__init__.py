"""Bulk imports: jobs and their rows."""
