"""What tests need to run real things."""
