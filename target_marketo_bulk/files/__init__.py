"""Rows on disk, and the files that are sent."""
