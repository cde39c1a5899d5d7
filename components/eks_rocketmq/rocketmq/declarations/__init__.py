"""Declarations: topics, consumer groups, users and permissions that the stack keeps on every member."""
