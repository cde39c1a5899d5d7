"""The namespace: Pod Security and collisions with objects of others."""
