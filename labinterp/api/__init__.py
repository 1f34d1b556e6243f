"""The JSON API: one resource a file, over the same use cases as the pages and the worker."""
