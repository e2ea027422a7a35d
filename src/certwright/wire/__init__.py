"""How people and programs reach us; translation only, no decision."""
