"""Tests of pneumo.evaluation."""
