"""The command line: one module a group of verbs, nothing heavy imported before a verb needs it."""
