"""Readiness of objects, by kind: condition, status messages and errors."""
