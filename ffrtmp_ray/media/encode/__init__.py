"""Builds the command lines of encodes. Pure: values in, an argument list out, nothing is run."""
