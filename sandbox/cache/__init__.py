"""What the sandbox builds and downloads, once: programs, images and Python environments, keyed by their pins."""
