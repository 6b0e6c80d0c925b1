"""`python -m brainsmith` is the command `brainsmith`."""

from brainsmith.cli import main

main()
