"""What things are: one noun per file, all frozen. The listing of this folder is the glossary.

Nothing here knows about disk, clock, network, frameworks or a patient's name.
"""
