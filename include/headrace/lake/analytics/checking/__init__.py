"""Where Spark's figures are kept, and how they are held against dbt's."""
