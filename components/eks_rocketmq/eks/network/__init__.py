"""The network of a new cluster, and load balancers."""
