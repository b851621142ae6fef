"""How fast it is, beside its peers: ``make bench``. docs/benchmarks.md tells what each program here does.

Everything is made in temporary folders, listens on this machine alone, and is bounded in count and time.
"""
