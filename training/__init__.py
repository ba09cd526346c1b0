"""The training suite: one trainer, one recipe per released model."""
