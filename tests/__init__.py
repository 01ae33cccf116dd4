"""Tests: unit mirrors server/, contract runs on every adapter of a port, faults kill things."""
