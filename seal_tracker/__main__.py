"""``python -m seal_tracker`` is ``seal-tracker``."""

from seal_tracker.cli import main

main()
