"""Verifications: published results repeated at their protocol, and compared with their bands."""
