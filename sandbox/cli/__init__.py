"""The command line: parsing and showing, nothing else."""
