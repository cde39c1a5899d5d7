"""State of a running deployment: facts, findings and report. It reads only, and imports no Pulumi."""
