"""What was recorded: the log of control packets and the recorder that fills it."""
