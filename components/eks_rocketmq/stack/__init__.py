"""The stack program: settings, checks across components, errors in terms of the stack file."""
