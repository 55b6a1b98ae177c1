"""Imaging: from a file to a clean grey picture, and from numbers to pixels for a screen. No torch here."""
