"""Tests of pneumo.ui without a browser."""
