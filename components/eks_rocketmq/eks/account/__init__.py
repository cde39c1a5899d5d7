"""Questions to a component's AWS provider: account, region, what exists."""
