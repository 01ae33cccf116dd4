"""The models behind the desk: which there are, what they cost, and how one of them always answers."""
