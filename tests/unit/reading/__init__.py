"""Tests of pneumo.reading."""
