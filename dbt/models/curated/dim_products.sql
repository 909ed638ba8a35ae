select product_id, product_name, merchant_id, category, price, currency, status, updated_at
from {{ ref("products") }}
