"""Tests of pneumo.training that train no network."""
