"""The page at `/`: one file for browsers, and what it shows."""
