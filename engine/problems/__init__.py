"""What is descended or learned: landscapes, typed formulas, data sets, networks."""
