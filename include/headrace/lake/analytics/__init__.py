"""Figures of the lake that Spark works out from the same events as dbt, by its own hand, and compares with dbt's."""
