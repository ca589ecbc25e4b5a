"""Identity resolution as a pure library: standardize, block, compare, decide, cluster. Usable in a notebook."""
