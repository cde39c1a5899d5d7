"""Name servers, controllers, broker groups and proxies: plans and components."""
