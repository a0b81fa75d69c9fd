"""Bulk exports: requests, jobs and their files."""
