"""Access from outside the cluster."""
