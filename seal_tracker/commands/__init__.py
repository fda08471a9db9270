"""What each command of ``seal-tracker`` does, one file a command."""
