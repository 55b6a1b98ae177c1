"""Imaging: a file to a clean grey image, numbers to pixels for a screen. No torch here."""
