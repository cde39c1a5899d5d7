"""Catalogue of messages, causes and fixes. Pure."""
