"""Where each figure comes from: OpenLineage events of dbt, Airflow and our own jobs, kept, and drawn as one graph."""
