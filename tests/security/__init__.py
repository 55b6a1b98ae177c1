"""Attacks on the running app, each of which has to fail."""
