"""Arguments: their schema, their checks and the errors of both."""
