"""A telephone call, whatever carries it: listening, taking turns, speaking."""
