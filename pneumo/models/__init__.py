"""Models: what the networks are and what they say about one radiograph."""
