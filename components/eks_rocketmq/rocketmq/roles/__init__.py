"""Name servers, controllers, broker groups and proxies."""
