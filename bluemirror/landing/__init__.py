"""Landing: what arrived, and how to read it."""
