"""Certwright: certificate management over the REST API of Microsoft Identity Manager 2016 Certificate Management."""

__version__ = "0.1.0"
