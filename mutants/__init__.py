"""Breaks one rule of the platform at a time and shows that a test fails for each."""
