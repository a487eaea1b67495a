"""A package, so that the farm its tests share ends with the last of them."""
