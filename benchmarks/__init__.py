"""What the code costs, measured side by side: `python -m benchmarks`."""
