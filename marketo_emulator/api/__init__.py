"""The calls that are answered, one module for each family."""
