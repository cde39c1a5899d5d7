"""Checks of the namespace: Pod Security level, and collisions with existing objects."""
