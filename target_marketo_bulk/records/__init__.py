"""Singer records to the cells of a row."""
