"""Ways in: parse what came, hand it on, answer."""
