"""AWS APIs of the sandbox: an emulator, and an overlay that makes it check what AWS checks.

The emulator's own Python imports this package too, and lacks most dependencies. Keep this file free of imports.
"""
