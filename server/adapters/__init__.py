"""Ports kept by real providers. Only wiring.py names them."""
