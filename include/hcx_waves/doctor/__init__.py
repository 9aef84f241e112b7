"""``hcx-waves doctor``: look at every endpoint and say what is wrong and what to do next."""
