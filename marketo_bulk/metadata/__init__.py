"""What Marketo says of its fields and programs."""
