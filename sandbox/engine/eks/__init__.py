"""The stand-in for the `eks` provider: its component `eks:index:Cluster` in the lean form."""
