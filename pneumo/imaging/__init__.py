"""Imaging: a file to a clean grey picture, numbers to pixels for a screen. No torch here."""
