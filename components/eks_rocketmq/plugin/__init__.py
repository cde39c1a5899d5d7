"""The library as a Pulumi package for other languages."""
