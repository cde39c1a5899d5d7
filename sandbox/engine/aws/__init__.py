"""The `aws` provider stand-in: the stack's resource types and functions over the AWS API."""
