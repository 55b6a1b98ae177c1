"""Attacks on the real app, each of which has to fail."""
