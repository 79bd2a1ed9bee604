"""What stands around the app when it serves many: logs, metrics, and work that is done once."""
