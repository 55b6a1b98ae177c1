"""Synthetic radiographs for examples/: model, detail, pool, choice; see tools/make_examples.py."""
