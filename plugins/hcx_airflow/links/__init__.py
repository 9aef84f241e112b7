"""Links from tasks to the managers' pages."""
