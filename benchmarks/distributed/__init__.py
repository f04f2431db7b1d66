"""Tables on several processes: are results those of one process, also where workers are killed, and what does it cost."""
