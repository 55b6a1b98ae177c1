"""Tests that train a network."""
