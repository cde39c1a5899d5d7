"""Pulumi package of the library for other languages."""
