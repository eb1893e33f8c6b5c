"""One module per step of the tables, named by its number."""
