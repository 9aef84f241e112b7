"""Service meshes, their appliances, the tasks that work on them, and the underlay."""
