"""Stand-in of the `random` provider, for passwords."""
