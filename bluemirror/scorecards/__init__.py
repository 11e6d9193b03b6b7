"""Scorecards: from a training set to a registered, validated model."""
