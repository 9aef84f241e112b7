"""What tasks need is imported once, by the process that starts them, and not by every task anew."""
