"""`python -m sandbox COMMAND`, which the Makefile calls."""

from sandbox.cli import app

app(prog_name="sandbox")
