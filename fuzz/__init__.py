"""Coverage-guided fuzzing of what reads other people's bytes: ``make fuzz SECONDS=60``.

`targets` says what has to hold for any input, `seeds` where the first inputs come from, `one` runs a target under atheris,
and `__main__` runs several side by side. Atheris guides by coverage, which Hypothesis does not: a mutation that reaches a new
line is kept and mutated further, so that inputs grow into nested structures that no strategy has described.
"""
