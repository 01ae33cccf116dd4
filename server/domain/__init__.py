"""The words of the field as frozen values; they import only one another."""
