"""What has come in is saved once and waits here for its turn."""
