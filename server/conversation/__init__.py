"""A turn: from waiting messages to one reply that may leave."""
