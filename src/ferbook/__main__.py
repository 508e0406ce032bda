"""`python -m ferbook` is the command `ferbook`."""

from ferbook.cli import app

app()
