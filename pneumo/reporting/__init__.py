"""Reporting: the model card, the figures and the report of one reading."""
