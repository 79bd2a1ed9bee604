"""Descent Lab as it is installed: the app lies in this package, beside `engine`, the library."""
