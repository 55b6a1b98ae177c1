"""Synthetic radiographs for examples/: python -m tools.synthetic make | distances | reread."""
