"""What pytest leaves out when it runs the notebooks."""

collect_ignore = ["solved"]  # made by solve.py, for the teacher
