"""Marketo's bulk API as typed values and calls; knows nothing of Singer."""
