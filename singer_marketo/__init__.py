"""What the tap and the target share of Singer, and the client must not know."""
