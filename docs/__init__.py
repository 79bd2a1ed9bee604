"""Pictures of the project for its readers, made by scripts."""
