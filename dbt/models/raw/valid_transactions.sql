-- Made from include/contracts by `python -m headrace.lake.models`; change the contract, not this file.
{{ config(materialized="view") }}

with
judged as (
    WITH prepared AS (
        SELECT
            topic,
            "partition",
            "offset",
            arrived_at,
            landed_at,
            correlation_id,
            contract_version,
            origin,
            value,
            from_utf8(value) AS json_text,
            CASE WHEN NOT (length(value) > 1000 AND (length(value) > 1048576 OR length(from_utf8(value)) - length(replace(replace(from_utf8(value), '{', ''), '[', '')) > 500 OR regexp_like(from_utf8(value), '[0-9]{800}'))) THEN TRY(json_parse(from_utf8(value))) END AS document
        FROM {{ source("raw", "transactions") }}
        WHERE true
    ),
    given AS (
        SELECT
            topic,
            "partition",
            "offset",
            arrived_at,
            landed_at,
            correlation_id,
            contract_version,
            origin,
            value,
            json_text,
            document,
            coalesce(json_extract_scalar(json_text, '$.event_id'), nullif(json_format(json_extract(document, '$.event_id')), 'null')) AS given_event_id,
            coalesce(json_extract_scalar(json_text, '$.event_time'), nullif(json_format(json_extract(document, '$.event_time')), 'null')) AS given_event_time,
            coalesce(json_extract_scalar(json_text, '$.user_id'), nullif(json_format(json_extract(document, '$.user_id')), 'null')) AS given_user_id,
            coalesce(json_extract_scalar(json_text, '$.merchant_id'), nullif(json_format(json_extract(document, '$.merchant_id')), 'null')) AS given_merchant_id,
            coalesce(json_extract_scalar(json_text, '$.product_id'), nullif(json_format(json_extract(document, '$.product_id')), 'null')) AS given_product_id,
            coalesce(json_extract_scalar(json_text, '$.order_id'), nullif(json_format(json_extract(document, '$.order_id')), 'null')) AS given_order_id,
            coalesce(json_extract_scalar(json_text, '$.refund_of'), nullif(json_format(json_extract(document, '$.refund_of')), 'null')) AS given_refund_of,
            coalesce(json_extract_scalar(json_text, '$.transaction_type'), nullif(json_format(json_extract(document, '$.transaction_type')), 'null')) AS given_transaction_type,
            coalesce(json_extract_scalar(json_text, '$.amount'), nullif(json_format(json_extract(document, '$.amount')), 'null')) AS given_amount,
            coalesce(json_extract_scalar(json_text, '$.currency'), nullif(json_format(json_extract(document, '$.currency')), 'null')) AS given_currency,
            coalesce(json_extract_scalar(json_text, '$.region'), nullif(json_format(json_extract(document, '$.region')), 'null')) AS given_region
        FROM prepared
    ),
    texts AS (
        SELECT
            *,
            trim(BOTH U&' \0009\000A\000D' FROM given_event_id) AS text_event_id,
            trim(BOTH U&' \0009\000A\000D' FROM given_event_time) AS text_event_time,
            trim(BOTH U&' \0009\000A\000D' FROM given_user_id) AS text_user_id,
            trim(BOTH U&' \0009\000A\000D' FROM given_merchant_id) AS text_merchant_id,
            trim(BOTH U&' \0009\000A\000D' FROM given_product_id) AS text_product_id,
            trim(BOTH U&' \0009\000A\000D' FROM given_order_id) AS text_order_id,
            trim(BOTH U&' \0009\000A\000D' FROM given_refund_of) AS text_refund_of,
            CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_transaction_type) IN ('purchase', 'refund', 'fee', 'payout') THEN trim(BOTH U&' \0009\000A\000D' FROM given_transaction_type) ELSE CASE translate(trim(BOTH U&' \0009\000A\000D' FROM given_transaction_type), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') WHEN 'purchase' THEN 'purchase' WHEN 'refund' THEN 'refund' WHEN 'fee' THEN 'fee' WHEN 'payout' THEN 'payout' ELSE trim(BOTH U&' \0009\000A\000D' FROM given_transaction_type) END END AS text_transaction_type,
            trim(BOTH U&' \0009\000A\000D' FROM given_amount) AS text_amount,
            CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_currency) IN ('USD', 'EUR', 'GBP', 'JPY', 'BRL', 'INR') THEN trim(BOTH U&' \0009\000A\000D' FROM given_currency) ELSE CASE translate(trim(BOTH U&' \0009\000A\000D' FROM given_currency), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') WHEN 'usd' THEN 'USD' WHEN 'eur' THEN 'EUR' WHEN 'gbp' THEN 'GBP' WHEN 'jpy' THEN 'JPY' WHEN 'brl' THEN 'BRL' WHEN 'inr' THEN 'INR' WHEN '€' THEN 'EUR' WHEN '£' THEN 'GBP' WHEN '₹' THEN 'INR' WHEN 'r$' THEN 'BRL' WHEN 'us$' THEN 'USD' ELSE trim(BOTH U&' \0009\000A\000D' FROM given_currency) END END AS text_currency,
            CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_region) IN ('north_america', 'south_america', 'europe', 'asia') THEN trim(BOTH U&' \0009\000A\000D' FROM given_region) ELSE CASE translate(trim(BOTH U&' \0009\000A\000D' FROM given_region), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') WHEN 'north_america' THEN 'north_america' WHEN 'south_america' THEN 'south_america' WHEN 'europe' THEN 'europe' WHEN 'asia' THEN 'asia' ELSE trim(BOTH U&' \0009\000A\000D' FROM given_region) END END AS text_region
        FROM given
    ),
    typed AS (
        SELECT
            *,
            text_event_id AS event_id,
            coalesce(CASE WHEN regexp_like(text_event_time, '\A[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)?\z') AND try_cast(substr(text_event_time, 1, 10) AS date) IS NOT NULL THEN at_timezone(TRY(CAST(from_iso8601_timestamp_nanos(CASE WHEN regexp_like(text_event_time, '(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)\z') THEN regexp_replace(replace(text_event_time, ' ', 'T'), '([.][0-9]{6})[0-9]+', '$1') ELSE regexp_replace(replace(text_event_time, ' ', 'T'), '([.][0-9]{6})[0-9]+', '$1') || 'Z' END) AS timestamp(6) with time zone)), 'UTC') END, CASE WHEN regexp_like(text_event_time, '\A[1-8][0-9]{9}([.][0-9]{1,9})?\z') THEN at_timezone(CAST(from_unixtime_nanos(CAST(try_cast(regexp_replace(text_event_time, '([.][0-9]{6})[0-9]+', '$1') AS decimal(20,6)) * 1000000 AS bigint) * 1000) AS timestamp(6) with time zone), 'UTC') WHEN regexp_like(text_event_time, '\A[1-8][0-9]{12}([.]0{1,9})?\z') THEN at_timezone(CAST(from_unixtime_nanos(CAST(try_cast(regexp_replace(text_event_time, '([.][0-9]{6})[0-9]+', '$1') AS decimal(20,6)) * 1000 AS bigint) * 1000) AS timestamp(6) with time zone), 'UTC') END) AS event_time,
            text_user_id AS user_id,
            text_merchant_id AS merchant_id,
            text_product_id AS product_id,
            text_order_id AS order_id,
            text_refund_of AS refund_of,
            text_transaction_type AS transaction_type,
            CASE WHEN regexp_like(text_amount, '\A-?[0-9]{1,38}([.][0-9]{1,38})?\z') THEN try_cast(text_amount AS decimal(18,2)) END AS amount,
            text_currency AS currency,
            text_region AS region
        FROM texts
    ),
    judged AS (
        SELECT
            topic,
            "partition",
            "offset",
            arrived_at,
            landed_at,
            correlation_id,
            contract_version,
            origin,
            value,
            event_id,
            event_time,
            user_id,
            merchant_id,
            product_id,
            order_id,
            refund_of,
            transaction_type,
            amount,
            currency,
            region,
            CASE WHEN value IS NULL THEN 'empty' WHEN length(value) > 1000 AND (length(value) > 1048576 OR length(json_text) - length(replace(replace(json_text, '{', ''), '[', '')) > 500 OR regexp_like(json_text, '[0-9]{800}')) THEN 'excess' WHEN to_utf8(json_text) <> value THEN 'encoding' WHEN position('\u' IN json_text) > 0 AND regexp_like(replace(json_text, chr(92) || chr(92), '#'), '\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]') THEN 'surrogate' WHEN document IS NULL OR CASE WHEN strpos(json_text, chr(92)) > 0 THEN length(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) <> length(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) ELSE length(json_text) - length(replace(json_text, ':', '')) <> length(json_format(document)) - length(replace(json_format(document), ':', '')) END OR NOT regexp_like(json_text, '\A[ \t\r\n]*\{') THEN 'json' WHEN position('\u0000' IN replace(json_text, chr(92) || chr(92), '#')) > 0 THEN 'nul' WHEN text_event_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.event_id')) LIKE '"%') THEN 'type:event_id' WHEN text_event_time IS NOT NULL AND (event_time IS NULL) THEN 'type:event_time' WHEN text_user_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.user_id')) LIKE '"%') THEN 'type:user_id' WHEN text_merchant_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.merchant_id')) LIKE '"%') THEN 'type:merchant_id' WHEN text_product_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.product_id')) LIKE '"%') THEN 'type:product_id' WHEN text_order_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.order_id')) LIKE '"%') THEN 'type:order_id' WHEN text_refund_of IS NOT NULL AND (NOT json_format(json_extract(document, '$.refund_of')) LIKE '"%') THEN 'type:refund_of' WHEN text_transaction_type IS NOT NULL AND (NOT json_format(json_extract(document, '$.transaction_type')) LIKE '"%') THEN 'type:transaction_type' WHEN text_amount IS NOT NULL AND (NOT regexp_like(text_amount, '\A-?[0-9]{1,38}([.][0-9]{1,38})?\z') OR strpos(lower(text_amount), 'e') > 0) THEN 'type:amount' WHEN text_currency IS NOT NULL AND (NOT json_format(json_extract(document, '$.currency')) LIKE '"%') THEN 'type:currency' WHEN text_region IS NOT NULL AND (NOT json_format(json_extract(document, '$.region')) LIKE '"%') THEN 'type:region' WHEN text_event_id IS NULL THEN 'required:event_id' WHEN text_event_time IS NULL THEN 'required:event_time' WHEN text_user_id IS NULL THEN 'required:user_id' WHEN text_merchant_id IS NULL THEN 'required:merchant_id' WHEN text_transaction_type IS NULL THEN 'required:transaction_type' WHEN text_amount IS NULL THEN 'required:amount' WHEN text_currency IS NULL THEN 'required:currency' WHEN text_region IS NULL THEN 'required:region' WHEN length(text_event_id) < 8 THEN 'length:event_id' WHEN length(text_event_id) > 64 THEN 'length:event_id' WHEN length(text_user_id) < 1 THEN 'length:user_id' WHEN length(text_user_id) > 64 THEN 'length:user_id' WHEN length(text_merchant_id) < 1 THEN 'length:merchant_id' WHEN length(text_merchant_id) > 64 THEN 'length:merchant_id' WHEN length(text_product_id) > 64 THEN 'length:product_id' WHEN length(text_order_id) > 64 THEN 'length:order_id' WHEN length(text_refund_of) > 64 THEN 'length:refund_of' WHEN text_transaction_type NOT IN ('purchase', 'refund', 'fee', 'payout') THEN 'enum:transaction_type' WHEN regexp_like(text_amount, '[.][0-9]{2}[0-9]*[1-9]') THEN 'places:amount' WHEN text_amount IS NOT NULL AND amount IS NULL THEN 'range:amount' WHEN amount < 0 THEN 'range:amount' WHEN amount > 1000000 THEN 'range:amount' WHEN text_currency NOT IN ('USD', 'EUR', 'GBP', 'JPY', 'BRL', 'INR') THEN 'enum:currency' WHEN text_region NOT IN ('north_america', 'south_america', 'europe', 'asia') THEN 'enum:region' WHEN event_time > arrived_at + INTERVAL '1' MINUTE THEN 'future:event_time' WHEN amount > CASE currency WHEN 'USD' THEN 500000 WHEN 'EUR' THEN 500000 WHEN 'GBP' THEN 500000 END THEN 'outlier:amount' END AS refusal,
            CASE WHEN value IS NULL THEN 'The record has no value.' WHEN length(value) > 1000 AND (length(value) > 1048576 OR length(json_text) - length(replace(replace(json_text, '{', ''), '[', '')) > 500 OR regexp_like(json_text, '[0-9]{800}')) THEN 'The value has more than 1048576 bytes, 500 brackets or 800 digits in a row.' WHEN to_utf8(json_text) <> value THEN 'The value is not valid UTF-8 text.' WHEN position('\u' IN json_text) > 0 AND regexp_like(replace(json_text, chr(92) || chr(92), '#'), '\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]') THEN 'A text has half of a surrogate pair, which is no character.' WHEN document IS NULL OR CASE WHEN strpos(json_text, chr(92)) > 0 THEN length(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) <> length(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) ELSE length(json_text) - length(replace(json_text, ':', '')) <> length(json_format(document)) - length(replace(json_format(document), ':', '')) END OR NOT regexp_like(json_text, '\A[ \t\r\n]*\{') THEN 'The value is not one well-formed JSON object whose keys differ.' WHEN position('\u0000' IN replace(json_text, chr(92) || chr(92), '#')) > 0 THEN 'A text has the character U+0000, which databases cannot keep.' WHEN text_event_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.event_id')) LIKE '"%') THEN 'event_id must be text.' WHEN text_event_time IS NOT NULL AND (event_time IS NULL) THEN 'event_time must be a moment such as 2026-01-31T09:30:00Z.' WHEN text_user_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.user_id')) LIKE '"%') THEN 'user_id must be text.' WHEN text_merchant_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.merchant_id')) LIKE '"%') THEN 'merchant_id must be text.' WHEN text_product_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.product_id')) LIKE '"%') THEN 'product_id must be text.' WHEN text_order_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.order_id')) LIKE '"%') THEN 'order_id must be text.' WHEN text_refund_of IS NOT NULL AND (NOT json_format(json_extract(document, '$.refund_of')) LIKE '"%') THEN 'refund_of must be text.' WHEN text_transaction_type IS NOT NULL AND (NOT json_format(json_extract(document, '$.transaction_type')) LIKE '"%') THEN 'transaction_type must be text.' WHEN text_amount IS NOT NULL AND (NOT regexp_like(text_amount, '\A-?[0-9]{1,38}([.][0-9]{1,38})?\z') OR strpos(lower(text_amount), 'e') > 0) THEN 'amount must be a number in plain digits.' WHEN text_currency IS NOT NULL AND (NOT json_format(json_extract(document, '$.currency')) LIKE '"%') THEN 'currency must be text.' WHEN text_region IS NOT NULL AND (NOT json_format(json_extract(document, '$.region')) LIKE '"%') THEN 'region must be text.' WHEN text_event_id IS NULL THEN 'event_id is required and is missing or null.' WHEN text_event_time IS NULL THEN 'event_time is required and is missing or null.' WHEN text_user_id IS NULL THEN 'user_id is required and is missing or null.' WHEN text_merchant_id IS NULL THEN 'merchant_id is required and is missing or null.' WHEN text_transaction_type IS NULL THEN 'transaction_type is required and is missing or null.' WHEN text_amount IS NULL THEN 'amount is required and is missing or null.' WHEN text_currency IS NULL THEN 'currency is required and is missing or null.' WHEN text_region IS NULL THEN 'region is required and is missing or null.' WHEN length(text_event_id) < 8 THEN 'event_id is shorter than 8 character(s).' WHEN length(text_event_id) > 64 THEN 'event_id is longer than 64 character(s).' WHEN length(text_user_id) < 1 THEN 'user_id is shorter than 1 character(s).' WHEN length(text_user_id) > 64 THEN 'user_id is longer than 64 character(s).' WHEN length(text_merchant_id) < 1 THEN 'merchant_id is shorter than 1 character(s).' WHEN length(text_merchant_id) > 64 THEN 'merchant_id is longer than 64 character(s).' WHEN length(text_product_id) > 64 THEN 'product_id is longer than 64 character(s).' WHEN length(text_order_id) > 64 THEN 'order_id is longer than 64 character(s).' WHEN length(text_refund_of) > 64 THEN 'refund_of is longer than 64 character(s).' WHEN text_transaction_type NOT IN ('purchase', 'refund', 'fee', 'payout') THEN 'transaction_type must be one of purchase, refund, fee, payout.' WHEN regexp_like(text_amount, '[.][0-9]{2}[0-9]*[1-9]') THEN 'amount has more than 2 decimal places.' WHEN text_amount IS NOT NULL AND amount IS NULL THEN 'amount is too large for decimal(18,2).' WHEN amount < 0 THEN 'amount is below 0.' WHEN amount > 1000000 THEN 'amount is above 1000000.' WHEN text_currency NOT IN ('USD', 'EUR', 'GBP', 'JPY', 'BRL', 'INR') THEN 'currency must be one of USD, EUR, GBP, JPY, BRL, INR.' WHEN text_region NOT IN ('north_america', 'south_america', 'europe', 'asia') THEN 'region must be one of north_america, south_america, europe, asia.' WHEN event_time > arrived_at + INTERVAL '1' MINUTE THEN 'event_time is more than 1 minute(s) after the moment the event arrived.' WHEN amount > CASE currency WHEN 'USD' THEN 500000 WHEN 'EUR' THEN 500000 WHEN 'GBP' THEN 500000 END THEN 'amount is ' || CAST(amount AS varchar) || ' with currency ' || currency || '; more than ' || CASE currency WHEN 'USD' THEN '500000' WHEN 'EUR' THEN '500000' WHEN 'GBP' THEN '500000' END || ' is not plausible.' END AS reason,
            CAST(filter(ARRAY[CASE WHEN given_event_id <> trim(BOTH U&' \0009\000A\000D' FROM given_event_id) THEN 'event_id:spaces' END, CASE WHEN given_event_time <> trim(BOTH U&' \0009\000A\000D' FROM given_event_time) THEN 'event_time:spaces' END, CASE WHEN regexp_like(text_event_time, '\A[1-8][0-9]{9}([.][0-9]{1,9})?\z') OR regexp_like(text_event_time, '\A[1-8][0-9]{12}([.]0{1,9})?\z') THEN 'event_time:epoch time' END, CASE WHEN regexp_like(text_event_time, '\A[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?\z') THEN 'event_time:time without zone' END, CASE WHEN given_user_id <> trim(BOTH U&' \0009\000A\000D' FROM given_user_id) THEN 'user_id:spaces' END, CASE WHEN given_merchant_id <> trim(BOTH U&' \0009\000A\000D' FROM given_merchant_id) THEN 'merchant_id:spaces' END, CASE WHEN given_product_id <> trim(BOTH U&' \0009\000A\000D' FROM given_product_id) THEN 'product_id:spaces' END, CASE WHEN given_order_id <> trim(BOTH U&' \0009\000A\000D' FROM given_order_id) THEN 'order_id:spaces' END, CASE WHEN given_refund_of <> trim(BOTH U&' \0009\000A\000D' FROM given_refund_of) THEN 'refund_of:spaces' END, CASE WHEN given_transaction_type <> trim(BOTH U&' \0009\000A\000D' FROM given_transaction_type) THEN 'transaction_type:spaces' END, CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_transaction_type) <> text_transaction_type AND translate(trim(BOTH U&' \0009\000A\000D' FROM given_transaction_type), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') = translate(text_transaction_type, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') THEN 'transaction_type:letter case' END, CASE WHEN given_amount <> trim(BOTH U&' \0009\000A\000D' FROM given_amount) THEN 'amount:spaces' END, CASE WHEN json_format(json_extract(document, '$.amount')) LIKE '"%' THEN 'amount:number as text' END, CASE WHEN given_currency <> trim(BOTH U&' \0009\000A\000D' FROM given_currency) THEN 'currency:spaces' END, CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_currency) <> text_currency AND translate(trim(BOTH U&' \0009\000A\000D' FROM given_currency), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') = translate(text_currency, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') THEN 'currency:letter case' END, CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_currency) <> text_currency AND translate(trim(BOTH U&' \0009\000A\000D' FROM given_currency), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') <> translate(text_currency, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') THEN 'currency:currency symbol' END, CASE WHEN given_region <> trim(BOTH U&' \0009\000A\000D' FROM given_region) THEN 'region:spaces' END, CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_region) <> text_region AND translate(trim(BOTH U&' \0009\000A\000D' FROM given_region), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') = translate(text_region, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') THEN 'region:letter case' END], x -> x IS NOT NULL) AS array(varchar)) AS corrected
        FROM typed
    )
    SELECT * FROM judged
),

final as (
    select
        event_id,
        event_time,
        user_id,
        merchant_id,
        product_id,
        order_id,
        refund_of,
        transaction_type,
        amount,
        currency,
        region,
        corrected,
        arrived_at,
        landed_at,
        origin,
        correlation_id,
        contract_version,
        topic as source_topic,
        "partition" as source_partition,
        "offset" as source_offset
    from judged
    where refusal is null
)

select * from final
