"""End-to-end tests: a real browser, a running server, downloads."""
