"""What the service does for someone: one function a use case, each carrying who asks."""
