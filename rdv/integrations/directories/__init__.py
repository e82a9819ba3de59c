"""Files of public directories: bytes in, validated values and faults out; no database, no clock."""
