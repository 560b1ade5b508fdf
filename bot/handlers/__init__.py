"""What the bot does about each event and command, one file each."""
