select merchant_id, merchant_name, category, country, region, currency, tier, status, signed_up_at, updated_at
from {{ ref("merchants") }}
