"""Tests of pneumo.reporting."""
