"""Reading: one radiograph in, one Reading out: input check, evidence map, decision."""
