"""Tools: what only maintainers run."""
