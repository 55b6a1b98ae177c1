"""Data: datasets, transforms, composites, downloads and audits."""
