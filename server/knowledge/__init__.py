"""What the business has told us, and the answers that come from it alone."""
