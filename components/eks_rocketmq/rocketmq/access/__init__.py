"""Users, permissions and the Secrets with their passwords."""
