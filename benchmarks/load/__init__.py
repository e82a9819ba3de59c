"""Load on a served installation: open loop, by a maintained generator, with answers checked and reports to compare."""
