"""What `up` starts on one machine with nothing configured: a broker, a mailbox, the processes.

Nothing here runs in production: there a real broker, a real mail server and a supervisor stand in.
"""
