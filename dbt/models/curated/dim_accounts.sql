select account_id, customer_id, account_type, account_number, currency, status, opened_at, updated_at
from {{ ref("accounts") }}
