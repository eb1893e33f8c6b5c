"""Bytes and tables: files in folders and (nested) zips, and CSV tables, all as untrusted input."""
