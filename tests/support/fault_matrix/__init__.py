"""The fault matrix: every call of every play, with every fault; every task, killed at every moment.

``plays`` says what is played, ``calls`` finds out by a clean run which calls that makes, ``faults`` what can happen to
a call, ``cells`` puts one with the other and plays it, ``judging`` holds what came of it against the simulator's
oracle and audit, ``pressing`` takes the way back that the run names. ``python -m support.fault_matrix`` is
``make faults``.
"""
