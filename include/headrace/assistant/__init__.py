"""From a question in plain English to an answer that can be checked: plan, figures, SQL, freshness, confidence."""
