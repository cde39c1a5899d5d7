"""Facts of the account and the cluster, their files, and queries. Pure."""
