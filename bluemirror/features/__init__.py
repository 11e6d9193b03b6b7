"""Feast over the variables: views, registry and training sets."""
