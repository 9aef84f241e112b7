"""The guide: what every id that a person can meet means, what to do, and by which button or command.

The texts are written here alone; ``docs/guide/`` is made of them, and messages lead there by id. Imports nothing of
ours, so that anybody may import it.
"""
