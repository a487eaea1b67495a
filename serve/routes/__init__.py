"""The routes, one module for each group of paths. They translate; they decide nothing."""
