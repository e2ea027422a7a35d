"""The REST API v1.0 of Microsoft Identity Manager 2016 Certificate Management; its oddities stay in here."""
