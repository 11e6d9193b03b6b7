"""The risk data mart: contracted tables as immutable snapshots."""
