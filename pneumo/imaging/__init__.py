"""Films: a file to a clean grey picture, and a picture to pixels for a screen. Knows no network."""
