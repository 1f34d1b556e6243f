"""Speed, each figure as a ratio with a yardstick measured in the same run."""
