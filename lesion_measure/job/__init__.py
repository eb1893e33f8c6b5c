"""What every run has around its stages: the request, the tables given, the results folder, provenance."""
