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
        FROM {{ source("raw", "exchange_rates") }}
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
            coalesce(json_extract_scalar(json_text, '$.currency'), nullif(json_format(json_extract(document, '$.currency')), 'null')) AS given_currency,
            coalesce(json_extract_scalar(json_text, '$.rate_date'), nullif(json_format(json_extract(document, '$.rate_date')), 'null')) AS given_rate_date,
            coalesce(json_extract_scalar(json_text, '$.updated_at'), nullif(json_format(json_extract(document, '$.updated_at')), 'null')) AS given_updated_at,
            coalesce(json_extract_scalar(json_text, '$.usd_rate'), nullif(json_format(json_extract(document, '$.usd_rate')), 'null')) AS given_usd_rate
        FROM prepared
    ),
    texts AS (
        SELECT
            *,
            CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_currency) IN ('USD', 'EUR', 'GBP', 'JPY', 'BRL', 'INR') THEN trim(BOTH U&' \0009\000A\000D' FROM given_currency) ELSE CASE translate(trim(BOTH U&' \0009\000A\000D' FROM given_currency), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') WHEN 'usd' THEN 'USD' WHEN 'eur' THEN 'EUR' WHEN 'gbp' THEN 'GBP' WHEN 'jpy' THEN 'JPY' WHEN 'brl' THEN 'BRL' WHEN 'inr' THEN 'INR' WHEN '€' THEN 'EUR' WHEN '£' THEN 'GBP' WHEN '₹' THEN 'INR' WHEN 'r$' THEN 'BRL' WHEN 'us$' THEN 'USD' ELSE trim(BOTH U&' \0009\000A\000D' FROM given_currency) END END AS text_currency,
            trim(BOTH U&' \0009\000A\000D' FROM given_rate_date) AS text_rate_date,
            trim(BOTH U&' \0009\000A\000D' FROM given_updated_at) AS text_updated_at,
            trim(BOTH U&' \0009\000A\000D' FROM given_usd_rate) AS text_usd_rate
        FROM given
    ),
    typed AS (
        SELECT
            *,
            text_currency AS currency,
            CASE WHEN regexp_like(text_rate_date, '\A[12][0-9]{3}-[0-9]{2}-[0-9]{2}\z') THEN try_cast(text_rate_date AS date) END AS rate_date,
            coalesce(CASE WHEN regexp_like(text_updated_at, '\A[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)?\z') AND try_cast(substr(text_updated_at, 1, 10) AS date) IS NOT NULL THEN at_timezone(TRY(CAST(from_iso8601_timestamp_nanos(CASE WHEN regexp_like(text_updated_at, '(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)\z') THEN regexp_replace(replace(text_updated_at, ' ', 'T'), '([.][0-9]{6})[0-9]+', '$1') ELSE regexp_replace(replace(text_updated_at, ' ', 'T'), '([.][0-9]{6})[0-9]+', '$1') || 'Z' END) AS timestamp(6) with time zone)), 'UTC') END, CASE WHEN regexp_like(text_updated_at, '\A[1-8][0-9]{9}([.][0-9]{1,9})?\z') THEN at_timezone(CAST(from_unixtime_nanos(CAST(try_cast(regexp_replace(text_updated_at, '([.][0-9]{6})[0-9]+', '$1') AS decimal(20,6)) * 1000000 AS bigint) * 1000) AS timestamp(6) with time zone), 'UTC') WHEN regexp_like(text_updated_at, '\A[1-8][0-9]{12}([.]0{1,9})?\z') THEN at_timezone(CAST(from_unixtime_nanos(CAST(try_cast(regexp_replace(text_updated_at, '([.][0-9]{6})[0-9]+', '$1') AS decimal(20,6)) * 1000 AS bigint) * 1000) AS timestamp(6) with time zone), 'UTC') END) AS updated_at,
            CASE WHEN regexp_like(text_usd_rate, '\A-?[0-9]{1,38}([.][0-9]{1,38})?\z') THEN try_cast(text_usd_rate AS decimal(18,8)) END AS usd_rate
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
            currency,
            rate_date,
            updated_at,
            usd_rate,
            CASE WHEN value IS NULL THEN 'empty' WHEN length(value) > 1000 AND (length(value) > 1048576 OR length(json_text) - length(replace(replace(json_text, '{', ''), '[', '')) > 500 OR regexp_like(json_text, '[0-9]{800}')) THEN 'excess' WHEN to_utf8(json_text) <> value THEN 'encoding' WHEN position('\u' IN json_text) > 0 AND regexp_like(replace(json_text, chr(92) || chr(92), '#'), '\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]') THEN 'surrogate' WHEN document IS NULL OR CASE WHEN strpos(json_text, chr(92)) > 0 THEN length(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) <> length(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) ELSE length(json_text) - length(replace(json_text, ':', '')) <> length(json_format(document)) - length(replace(json_format(document), ':', '')) END OR NOT regexp_like(json_text, '\A[ \t\r\n]*\{') THEN 'json' WHEN position('\u0000' IN replace(json_text, chr(92) || chr(92), '#')) > 0 THEN 'nul' WHEN text_currency IS NOT NULL AND (NOT json_format(json_extract(document, '$.currency')) LIKE '"%') THEN 'type:currency' WHEN text_rate_date IS NOT NULL AND (rate_date IS NULL) THEN 'type:rate_date' WHEN text_updated_at IS NOT NULL AND (updated_at IS NULL) THEN 'type:updated_at' WHEN text_usd_rate IS NOT NULL AND (NOT regexp_like(text_usd_rate, '\A-?[0-9]{1,38}([.][0-9]{1,38})?\z') OR strpos(lower(text_usd_rate), 'e') > 0) THEN 'type:usd_rate' WHEN text_currency IS NULL THEN 'required:currency' WHEN text_rate_date IS NULL THEN 'required:rate_date' WHEN text_updated_at IS NULL THEN 'required:updated_at' WHEN text_usd_rate IS NULL THEN 'required:usd_rate' WHEN text_currency NOT IN ('USD', 'EUR', 'GBP', 'JPY', 'BRL', 'INR') THEN 'enum:currency' WHEN regexp_like(text_usd_rate, '[.][0-9]{8}[0-9]*[1-9]') THEN 'places:usd_rate' WHEN text_usd_rate IS NOT NULL AND usd_rate IS NULL THEN 'range:usd_rate' WHEN usd_rate < 0.00000001 THEN 'range:usd_rate' WHEN usd_rate > 1000000 THEN 'range:usd_rate' WHEN updated_at > arrived_at + INTERVAL '1' MINUTE THEN 'future:updated_at' END AS refusal,
            CASE WHEN value IS NULL THEN 'The record has no value.' WHEN length(value) > 1000 AND (length(value) > 1048576 OR length(json_text) - length(replace(replace(json_text, '{', ''), '[', '')) > 500 OR regexp_like(json_text, '[0-9]{800}')) THEN 'The value has more than 1048576 bytes, 500 brackets or 800 digits in a row.' WHEN to_utf8(json_text) <> value THEN 'The value is not valid UTF-8 text.' WHEN position('\u' IN json_text) > 0 AND regexp_like(replace(json_text, chr(92) || chr(92), '#'), '\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]') THEN 'A text has half of a surrogate pair, which is no character.' WHEN document IS NULL OR CASE WHEN strpos(json_text, chr(92)) > 0 THEN length(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) <> length(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) ELSE length(json_text) - length(replace(json_text, ':', '')) <> length(json_format(document)) - length(replace(json_format(document), ':', '')) END OR NOT regexp_like(json_text, '\A[ \t\r\n]*\{') THEN 'The value is not one well-formed JSON object whose keys differ.' WHEN position('\u0000' IN replace(json_text, chr(92) || chr(92), '#')) > 0 THEN 'A text has the character U+0000, which databases cannot keep.' WHEN text_currency IS NOT NULL AND (NOT json_format(json_extract(document, '$.currency')) LIKE '"%') THEN 'currency must be text.' WHEN text_rate_date IS NOT NULL AND (rate_date IS NULL) THEN 'rate_date must be a day such as 2026-01-31.' WHEN text_updated_at IS NOT NULL AND (updated_at IS NULL) THEN 'updated_at must be a moment such as 2026-01-31T09:30:00Z.' WHEN text_usd_rate IS NOT NULL AND (NOT regexp_like(text_usd_rate, '\A-?[0-9]{1,38}([.][0-9]{1,38})?\z') OR strpos(lower(text_usd_rate), 'e') > 0) THEN 'usd_rate must be a number in plain digits.' WHEN text_currency IS NULL THEN 'currency is required and is missing or null.' WHEN text_rate_date IS NULL THEN 'rate_date is required and is missing or null.' WHEN text_updated_at IS NULL THEN 'updated_at is required and is missing or null.' WHEN text_usd_rate IS NULL THEN 'usd_rate is required and is missing or null.' WHEN text_currency NOT IN ('USD', 'EUR', 'GBP', 'JPY', 'BRL', 'INR') THEN 'currency must be one of USD, EUR, GBP, JPY, BRL, INR.' WHEN regexp_like(text_usd_rate, '[.][0-9]{8}[0-9]*[1-9]') THEN 'usd_rate has more than 8 decimal places.' WHEN text_usd_rate IS NOT NULL AND usd_rate IS NULL THEN 'usd_rate is too large for decimal(18,8).' WHEN usd_rate < 0.00000001 THEN 'usd_rate is below 0.00000001.' WHEN usd_rate > 1000000 THEN 'usd_rate is above 1000000.' WHEN updated_at > arrived_at + INTERVAL '1' MINUTE THEN 'updated_at is more than 1 minute(s) after the moment the event arrived.' END AS reason,
            CAST(filter(ARRAY[CASE WHEN given_currency <> trim(BOTH U&' \0009\000A\000D' FROM given_currency) THEN 'currency:spaces' END, CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_currency) <> text_currency AND translate(trim(BOTH U&' \0009\000A\000D' FROM given_currency), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') = translate(text_currency, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') THEN 'currency:letter case' END, CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_currency) <> text_currency AND translate(trim(BOTH U&' \0009\000A\000D' FROM given_currency), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') <> translate(text_currency, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') THEN 'currency:currency symbol' END, CASE WHEN given_rate_date <> trim(BOTH U&' \0009\000A\000D' FROM given_rate_date) THEN 'rate_date:spaces' END, CASE WHEN given_updated_at <> trim(BOTH U&' \0009\000A\000D' FROM given_updated_at) THEN 'updated_at:spaces' END, CASE WHEN regexp_like(text_updated_at, '\A[1-8][0-9]{9}([.][0-9]{1,9})?\z') OR regexp_like(text_updated_at, '\A[1-8][0-9]{12}([.]0{1,9})?\z') THEN 'updated_at:epoch time' END, CASE WHEN regexp_like(text_updated_at, '\A[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?\z') THEN 'updated_at:time without zone' END, CASE WHEN given_usd_rate <> trim(BOTH U&' \0009\000A\000D' FROM given_usd_rate) THEN 'usd_rate:spaces' END, CASE WHEN json_format(json_extract(document, '$.usd_rate')) LIKE '"%' THEN 'usd_rate:number as text' END], x -> x IS NOT NULL) AS array(varchar)) AS corrected
        FROM typed
    )
    SELECT * FROM judged
),

final as (
    select
        currency,
        rate_date,
        updated_at,
        usd_rate,
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
