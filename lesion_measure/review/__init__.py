"""The reading room: a web page where a radiologist measures, checks, corrects and signs."""
