"""Declared topics and consumer groups."""
