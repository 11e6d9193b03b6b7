"""Contracts: the only description of a source."""
