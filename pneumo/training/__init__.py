"""Training: how checkpoints come to be. Only train.py and the command line import this room."""
