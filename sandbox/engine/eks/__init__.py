"""Stand-in of the `eks` provider, for the component `eks:index:Cluster` without node groups and addons."""
