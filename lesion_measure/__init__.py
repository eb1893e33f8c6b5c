"""Measure liver lesions in ultrasound."""
