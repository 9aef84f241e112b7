"""The steps of a wave, one operator each, usable in any DAG. Nothing is imported here, so that parsing stays cheap."""
