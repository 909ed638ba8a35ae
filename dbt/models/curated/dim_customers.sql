select customer_id, customer_name, email, country, region, segment, signed_up_at, updated_at
from {{ ref("customers") }}
