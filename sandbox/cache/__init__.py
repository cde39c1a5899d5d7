"""Cache of programs, images and Python environments, keyed by their pins."""
