"""Stand-in of the `aws` provider: resource types and functions that call the AWS API."""
