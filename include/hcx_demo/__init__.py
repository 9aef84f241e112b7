"""The demo: a simulated site pair, Airflow and a wave, with one command and a live view.

Everything here starts other programs as processes and talks to them over loopback; neither Airflow nor the
simulator is imported.
"""
