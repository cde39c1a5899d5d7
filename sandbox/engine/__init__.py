"""Pulumi engine of the sandbox: language host, and stand-ins of released provider plugins."""
