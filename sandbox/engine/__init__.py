"""The Pulumi engine side of the sandbox: attachable stand-ins for the released provider plugins."""
