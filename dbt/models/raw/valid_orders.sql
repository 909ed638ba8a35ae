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
        FROM {{ source("raw", "orders") }}
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
            coalesce(json_extract_scalar(json_text, '$.order_id'), nullif(json_format(json_extract(document, '$.order_id')), 'null')) AS given_order_id,
            coalesce(json_extract_scalar(json_text, '$.user_id'), nullif(json_format(json_extract(document, '$.user_id')), 'null')) AS given_user_id,
            coalesce(json_extract_scalar(json_text, '$.merchant_id'), nullif(json_format(json_extract(document, '$.merchant_id')), 'null')) AS given_merchant_id,
            coalesce(json_extract_scalar(json_text, '$.product_id'), nullif(json_format(json_extract(document, '$.product_id')), 'null')) AS given_product_id,
            coalesce(json_extract_scalar(json_text, '$.order_status'), nullif(json_format(json_extract(document, '$.order_status')), 'null')) AS given_order_status,
            coalesce(json_extract_scalar(json_text, '$.quantity'), nullif(json_format(json_extract(document, '$.quantity')), 'null')) AS given_quantity,
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
            trim(BOTH U&' \0009\000A\000D' FROM given_order_id) AS text_order_id,
            trim(BOTH U&' \0009\000A\000D' FROM given_user_id) AS text_user_id,
            trim(BOTH U&' \0009\000A\000D' FROM given_merchant_id) AS text_merchant_id,
            trim(BOTH U&' \0009\000A\000D' FROM given_product_id) AS text_product_id,
            CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_order_status) IN ('placed', 'shipped', 'delivered', 'cancelled') THEN trim(BOTH U&' \0009\000A\000D' FROM given_order_status) ELSE CASE translate(trim(BOTH U&' \0009\000A\000D' FROM given_order_status), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') WHEN 'placed' THEN 'placed' WHEN 'shipped' THEN 'shipped' WHEN 'delivered' THEN 'delivered' WHEN 'cancelled' THEN 'cancelled' ELSE trim(BOTH U&' \0009\000A\000D' FROM given_order_status) END END AS text_order_status,
            trim(BOTH U&' \0009\000A\000D' FROM given_quantity) AS text_quantity,
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
            text_order_id AS order_id,
            text_user_id AS user_id,
            text_merchant_id AS merchant_id,
            text_product_id AS product_id,
            text_order_status AS order_status,
            CASE WHEN regexp_like(text_quantity, '\A-?[0-9]{1,38}([.]0{1,38})?\z') THEN try_cast(try_cast(text_quantity AS decimal(38,0)) AS bigint) END AS quantity,
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
            order_id,
            user_id,
            merchant_id,
            product_id,
            order_status,
            quantity,
            amount,
            currency,
            region,
            CASE WHEN value IS NULL THEN 'empty' WHEN length(value) > 1000 AND (length(value) > 1048576 OR length(json_text) - length(replace(replace(json_text, '{', ''), '[', '')) > 500 OR regexp_like(json_text, '[0-9]{800}')) THEN 'excess' WHEN to_utf8(json_text) <> value THEN 'encoding' WHEN position('\u' IN json_text) > 0 AND regexp_like(replace(json_text, chr(92) || chr(92), '#'), '\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]') THEN 'surrogate' WHEN document IS NULL OR CASE WHEN strpos(json_text, chr(92)) > 0 THEN length(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) <> length(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) ELSE length(json_text) - length(replace(json_text, ':', '')) <> length(json_format(document)) - length(replace(json_format(document), ':', '')) END OR NOT regexp_like(json_text, '\A[ \t\r\n]*\{') THEN 'json' WHEN position('\u0000' IN replace(json_text, chr(92) || chr(92), '#')) > 0 THEN 'nul' WHEN text_event_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.event_id')) LIKE '"%') THEN 'type:event_id' WHEN text_event_time IS NOT NULL AND (event_time IS NULL) THEN 'type:event_time' WHEN text_order_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.order_id')) LIKE '"%') THEN 'type:order_id' WHEN text_user_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.user_id')) LIKE '"%') THEN 'type:user_id' WHEN text_merchant_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.merchant_id')) LIKE '"%') THEN 'type:merchant_id' WHEN text_product_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.product_id')) LIKE '"%') THEN 'type:product_id' WHEN text_order_status IS NOT NULL AND (NOT json_format(json_extract(document, '$.order_status')) LIKE '"%') THEN 'type:order_status' WHEN text_quantity IS NOT NULL AND (NOT regexp_like(text_quantity, '\A-?[0-9]{1,38}([.]0{1,38})?\z') OR strpos(lower(text_quantity), 'e') > 0) THEN 'type:quantity' WHEN text_amount IS NOT NULL AND (NOT regexp_like(text_amount, '\A-?[0-9]{1,38}([.][0-9]{1,38})?\z') OR strpos(lower(text_amount), 'e') > 0) THEN 'type:amount' WHEN text_currency IS NOT NULL AND (NOT json_format(json_extract(document, '$.currency')) LIKE '"%') THEN 'type:currency' WHEN text_region IS NOT NULL AND (NOT json_format(json_extract(document, '$.region')) LIKE '"%') THEN 'type:region' WHEN text_event_id IS NULL THEN 'required:event_id' WHEN text_event_time IS NULL THEN 'required:event_time' WHEN text_order_id IS NULL THEN 'required:order_id' WHEN text_user_id IS NULL THEN 'required:user_id' WHEN text_merchant_id IS NULL THEN 'required:merchant_id' WHEN text_product_id IS NULL THEN 'required:product_id' WHEN text_order_status IS NULL THEN 'required:order_status' WHEN text_quantity IS NULL THEN 'required:quantity' WHEN text_amount IS NULL THEN 'required:amount' WHEN text_currency IS NULL THEN 'required:currency' WHEN text_region IS NULL THEN 'required:region' WHEN length(text_event_id) < 8 THEN 'length:event_id' WHEN length(text_event_id) > 64 THEN 'length:event_id' WHEN length(text_order_id) < 1 THEN 'length:order_id' WHEN length(text_order_id) > 64 THEN 'length:order_id' WHEN length(text_user_id) < 1 THEN 'length:user_id' WHEN length(text_user_id) > 64 THEN 'length:user_id' WHEN length(text_merchant_id) < 1 THEN 'length:merchant_id' WHEN length(text_merchant_id) > 64 THEN 'length:merchant_id' WHEN length(text_product_id) < 1 THEN 'length:product_id' WHEN length(text_product_id) > 64 THEN 'length:product_id' WHEN text_order_status NOT IN ('placed', 'shipped', 'delivered', 'cancelled') THEN 'enum:order_status' WHEN text_quantity IS NOT NULL AND quantity IS NULL THEN 'range:quantity' WHEN quantity < 1 THEN 'range:quantity' WHEN quantity > 1000 THEN 'range:quantity' WHEN regexp_like(text_amount, '[.][0-9]{2}[0-9]*[1-9]') THEN 'places:amount' WHEN text_amount IS NOT NULL AND amount IS NULL THEN 'range:amount' WHEN amount < 0 THEN 'range:amount' WHEN amount > 1000000 THEN 'range:amount' WHEN text_currency NOT IN ('USD', 'EUR', 'GBP', 'JPY', 'BRL', 'INR') THEN 'enum:currency' WHEN text_region NOT IN ('north_america', 'south_america', 'europe', 'asia') THEN 'enum:region' WHEN event_time > arrived_at + INTERVAL '1' MINUTE THEN 'future:event_time' END AS refusal,
            CASE WHEN value IS NULL THEN 'The record has no value.' WHEN length(value) > 1000 AND (length(value) > 1048576 OR length(json_text) - length(replace(replace(json_text, '{', ''), '[', '')) > 500 OR regexp_like(json_text, '[0-9]{800}')) THEN 'The value has more than 1048576 bytes, 500 brackets or 800 digits in a row.' WHEN to_utf8(json_text) <> value THEN 'The value is not valid UTF-8 text.' WHEN position('\u' IN json_text) > 0 AND regexp_like(replace(json_text, chr(92) || chr(92), '#'), '\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]') THEN 'A text has half of a surrogate pair, which is no character.' WHEN document IS NULL OR CASE WHEN strpos(json_text, chr(92)) > 0 THEN length(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) <> length(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) ELSE length(json_text) - length(replace(json_text, ':', '')) <> length(json_format(document)) - length(replace(json_format(document), ':', '')) END OR NOT regexp_like(json_text, '\A[ \t\r\n]*\{') THEN 'The value is not one well-formed JSON object whose keys differ.' WHEN position('\u0000' IN replace(json_text, chr(92) || chr(92), '#')) > 0 THEN 'A text has the character U+0000, which databases cannot keep.' WHEN text_event_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.event_id')) LIKE '"%') THEN 'event_id must be text.' WHEN text_event_time IS NOT NULL AND (event_time IS NULL) THEN 'event_time must be a moment such as 2026-01-31T09:30:00Z.' WHEN text_order_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.order_id')) LIKE '"%') THEN 'order_id must be text.' WHEN text_user_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.user_id')) LIKE '"%') THEN 'user_id must be text.' WHEN text_merchant_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.merchant_id')) LIKE '"%') THEN 'merchant_id must be text.' WHEN text_product_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.product_id')) LIKE '"%') THEN 'product_id must be text.' WHEN text_order_status IS NOT NULL AND (NOT json_format(json_extract(document, '$.order_status')) LIKE '"%') THEN 'order_status must be text.' WHEN text_quantity IS NOT NULL AND (NOT regexp_like(text_quantity, '\A-?[0-9]{1,38}([.]0{1,38})?\z') OR strpos(lower(text_quantity), 'e') > 0) THEN 'quantity must be a whole number.' WHEN text_amount IS NOT NULL AND (NOT regexp_like(text_amount, '\A-?[0-9]{1,38}([.][0-9]{1,38})?\z') OR strpos(lower(text_amount), 'e') > 0) THEN 'amount must be a number in plain digits.' WHEN text_currency IS NOT NULL AND (NOT json_format(json_extract(document, '$.currency')) LIKE '"%') THEN 'currency must be text.' WHEN text_region IS NOT NULL AND (NOT json_format(json_extract(document, '$.region')) LIKE '"%') THEN 'region must be text.' WHEN text_event_id IS NULL THEN 'event_id is required and is missing or null.' WHEN text_event_time IS NULL THEN 'event_time is required and is missing or null.' WHEN text_order_id IS NULL THEN 'order_id is required and is missing or null.' WHEN text_user_id IS NULL THEN 'user_id is required and is missing or null.' WHEN text_merchant_id IS NULL THEN 'merchant_id is required and is missing or null.' WHEN text_product_id IS NULL THEN 'product_id is required and is missing or null.' WHEN text_order_status IS NULL THEN 'order_status is required and is missing or null.' WHEN text_quantity IS NULL THEN 'quantity is required and is missing or null.' WHEN text_amount IS NULL THEN 'amount is required and is missing or null.' WHEN text_currency IS NULL THEN 'currency is required and is missing or null.' WHEN text_region IS NULL THEN 'region is required and is missing or null.' WHEN length(text_event_id) < 8 THEN 'event_id is shorter than 8 character(s).' WHEN length(text_event_id) > 64 THEN 'event_id is longer than 64 character(s).' WHEN length(text_order_id) < 1 THEN 'order_id is shorter than 1 character(s).' WHEN length(text_order_id) > 64 THEN 'order_id is longer than 64 character(s).' WHEN length(text_user_id) < 1 THEN 'user_id is shorter than 1 character(s).' WHEN length(text_user_id) > 64 THEN 'user_id is longer than 64 character(s).' WHEN length(text_merchant_id) < 1 THEN 'merchant_id is shorter than 1 character(s).' WHEN length(text_merchant_id) > 64 THEN 'merchant_id is longer than 64 character(s).' WHEN length(text_product_id) < 1 THEN 'product_id is shorter than 1 character(s).' WHEN length(text_product_id) > 64 THEN 'product_id is longer than 64 character(s).' WHEN text_order_status NOT IN ('placed', 'shipped', 'delivered', 'cancelled') THEN 'order_status must be one of placed, shipped, delivered, cancelled.' WHEN text_quantity IS NOT NULL AND quantity IS NULL THEN 'quantity is too large for bigint.' WHEN quantity < 1 THEN 'quantity is below 1.' WHEN quantity > 1000 THEN 'quantity is above 1000.' WHEN regexp_like(text_amount, '[.][0-9]{2}[0-9]*[1-9]') THEN 'amount has more than 2 decimal places.' WHEN text_amount IS NOT NULL AND amount IS NULL THEN 'amount is too large for decimal(18,2).' WHEN amount < 0 THEN 'amount is below 0.' WHEN amount > 1000000 THEN 'amount is above 1000000.' WHEN text_currency NOT IN ('USD', 'EUR', 'GBP', 'JPY', 'BRL', 'INR') THEN 'currency must be one of USD, EUR, GBP, JPY, BRL, INR.' WHEN text_region NOT IN ('north_america', 'south_america', 'europe', 'asia') THEN 'region must be one of north_america, south_america, europe, asia.' WHEN event_time > arrived_at + INTERVAL '1' MINUTE THEN 'event_time is more than 1 minute(s) after the moment the event arrived.' END AS reason,
            CAST(filter(ARRAY[CASE WHEN given_event_id <> trim(BOTH U&' \0009\000A\000D' FROM given_event_id) THEN 'event_id:spaces' END, CASE WHEN given_event_time <> trim(BOTH U&' \0009\000A\000D' FROM given_event_time) THEN 'event_time:spaces' END, CASE WHEN regexp_like(text_event_time, '\A[1-8][0-9]{9}([.][0-9]{1,9})?\z') OR regexp_like(text_event_time, '\A[1-8][0-9]{12}([.]0{1,9})?\z') THEN 'event_time:epoch time' END, CASE WHEN regexp_like(text_event_time, '\A[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?\z') THEN 'event_time:time without zone' END, CASE WHEN given_order_id <> trim(BOTH U&' \0009\000A\000D' FROM given_order_id) THEN 'order_id:spaces' END, CASE WHEN given_user_id <> trim(BOTH U&' \0009\000A\000D' FROM given_user_id) THEN 'user_id:spaces' END, CASE WHEN given_merchant_id <> trim(BOTH U&' \0009\000A\000D' FROM given_merchant_id) THEN 'merchant_id:spaces' END, CASE WHEN given_product_id <> trim(BOTH U&' \0009\000A\000D' FROM given_product_id) THEN 'product_id:spaces' END, CASE WHEN given_order_status <> trim(BOTH U&' \0009\000A\000D' FROM given_order_status) THEN 'order_status:spaces' END, CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_order_status) <> text_order_status AND translate(trim(BOTH U&' \0009\000A\000D' FROM given_order_status), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') = translate(text_order_status, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') THEN 'order_status:letter case' END, CASE WHEN given_quantity <> trim(BOTH U&' \0009\000A\000D' FROM given_quantity) THEN 'quantity:spaces' END, CASE WHEN json_format(json_extract(document, '$.quantity')) LIKE '"%' THEN 'quantity:number as text' END, CASE WHEN given_amount <> trim(BOTH U&' \0009\000A\000D' FROM given_amount) THEN 'amount:spaces' END, CASE WHEN json_format(json_extract(document, '$.amount')) LIKE '"%' THEN 'amount:number as text' END, CASE WHEN given_currency <> trim(BOTH U&' \0009\000A\000D' FROM given_currency) THEN 'currency:spaces' END, CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_currency) <> text_currency AND translate(trim(BOTH U&' \0009\000A\000D' FROM given_currency), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') = translate(text_currency, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') THEN 'currency:letter case' END, CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_currency) <> text_currency AND translate(trim(BOTH U&' \0009\000A\000D' FROM given_currency), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') <> translate(text_currency, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') THEN 'currency:currency symbol' END, CASE WHEN given_region <> trim(BOTH U&' \0009\000A\000D' FROM given_region) THEN 'region:spaces' END, CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_region) <> text_region AND translate(trim(BOTH U&' \0009\000A\000D' FROM given_region), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') = translate(text_region, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') THEN 'region:letter case' END], x -> x IS NOT NULL) AS array(varchar)) AS corrected
        FROM typed
    )
    SELECT * FROM judged
),

final as (
    select
        event_id,
        event_time,
        order_id,
        user_id,
        merchant_id,
        product_id,
        order_status,
        quantity,
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
