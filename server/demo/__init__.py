"""The demo business: made up, and the project's own."""
