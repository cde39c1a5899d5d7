"""VPC of a new cluster, and load balancers."""
