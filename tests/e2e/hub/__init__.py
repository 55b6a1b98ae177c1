"""Tests of the download from the Hub, against a local stub."""
