"""The tests, as a package of their own: a dependency installs another one called `tests`, which this one must hide."""
