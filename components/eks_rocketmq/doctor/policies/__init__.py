"""Evaluation of IAM policies. Pure."""
