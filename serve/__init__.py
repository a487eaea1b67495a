"""The HTTP edge: a FastAPI application that Ray Serve hosts. Nothing imports this package."""
