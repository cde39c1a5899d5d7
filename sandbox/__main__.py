"""Commands of the sandbox: `python -m sandbox COMMAND`. The Makefile calls them."""

from sandbox.cli import app

app(prog_name="sandbox")
