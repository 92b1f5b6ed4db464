"""What the benches share: an instance with data of a size, load, limits, and tables of figures."""
