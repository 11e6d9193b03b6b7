"""Dagster: what runs when, with which checks. No arithmetic; every asset calls the library."""
