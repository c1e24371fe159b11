"""``python -m bettercare``."""

from bettercare.cli import main

main()
