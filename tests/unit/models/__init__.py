"""Tests of pneumo.models."""
