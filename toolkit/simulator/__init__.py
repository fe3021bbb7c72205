"""Weather on demand: simulated or recorded, with faults put in, served in the feed's form over HTTP."""
