"""Lookups through the AWS provider of a component: account, region, existing resources."""
