"""Models: the networks, their checkpoints with cards, and the one preprocessing."""
