"""Tests of python -m pneumo."""
