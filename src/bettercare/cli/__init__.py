"""The commands. No arithmetic here: each reads, asks a room below, and shows the answer."""

from bettercare.cli.commands import main

__all__ = ["main"]
