"""IAM: the OIDC provider of a cluster, roles and their policies."""
