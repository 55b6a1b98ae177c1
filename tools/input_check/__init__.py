"""Fits checkpoints/input_check.json and measures it; needs images that are not in the project."""
