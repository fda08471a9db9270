"""``python -m simulators`` is ``seal-sim``."""

from simulators.cli import main

main()
