"""What the library adds to Pulumi's SDK, and the parts of it that are not documented."""
