"""Gates: which there are, what each shows, who may answer, and what an approval must be. Nothing is imported here."""
