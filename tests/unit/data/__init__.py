"""Tests of pneumo.data."""
