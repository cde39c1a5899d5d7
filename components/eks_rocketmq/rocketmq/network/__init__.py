"""NetworkPolicies of the roles."""
