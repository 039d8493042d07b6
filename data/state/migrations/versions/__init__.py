"""A file a revision, numbered in their order."""
