"""Schema, validation and errors of arguments."""
