"""What has been decided waits here until it has left."""
