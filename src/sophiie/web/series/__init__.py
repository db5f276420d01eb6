"""The pages of a series: all its visits, ending several at once, moving those that follow, undo."""
