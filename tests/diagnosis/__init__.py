"""Every diagnosis on a case that has it, and on 200 fits that have none."""
