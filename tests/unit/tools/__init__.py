"""Tests of tools and of what they made."""
