"""Stress tests that take too long for the suite: hostile files, kills, mutants; licenses."""
