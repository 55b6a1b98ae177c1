"""Training: recipes, the trainer, losses and the run that makes a checkpoint."""
