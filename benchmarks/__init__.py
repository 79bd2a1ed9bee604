"""What the app promises in milliseconds, measured rather than claimed."""
