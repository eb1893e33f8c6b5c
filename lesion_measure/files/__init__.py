"""Bytes on disk: folders and (nested) zips as untrusted input, whole or no output, locks."""
