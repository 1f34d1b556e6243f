"""Files of any length, interpreted without a server: sorted by patient, answered, resumed.

`inputs` reads them, `sorting` puts everything of a patient together, `answering` says what it
means, `work` keeps what a killed run needs to be gone on with, and `run` is the order of these.
"""
