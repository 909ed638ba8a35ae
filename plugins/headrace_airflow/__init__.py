"""What our DAGs need of Airflow beyond its own operators; everything that is not about Airflow is in `headrace`."""
