"""Gates: the table of gates, what each shows, who may answer, when an approval is valid. Imports nothing."""
