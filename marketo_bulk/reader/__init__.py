"""The reader of export files: bytes to typed columns."""
