"""What became of each row: reports, rejects, counts, and the state that may go out."""
