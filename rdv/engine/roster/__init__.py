"""Who is at which counter when: rosters, planned by CP-SAT day by day and judged without it."""
