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
        FROM {{ source("raw", "merchants") }}
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
            coalesce(json_extract_scalar(json_text, '$.merchant_id'), nullif(json_format(json_extract(document, '$.merchant_id')), 'null')) AS given_merchant_id,
            coalesce(json_extract_scalar(json_text, '$.updated_at'), nullif(json_format(json_extract(document, '$.updated_at')), 'null')) AS given_updated_at,
            coalesce(json_extract_scalar(json_text, '$.name'), nullif(json_format(json_extract(document, '$.name')), 'null')) AS given_name,
            coalesce(json_extract_scalar(json_text, '$.category'), nullif(json_format(json_extract(document, '$.category')), 'null')) AS given_category,
            coalesce(json_extract_scalar(json_text, '$.country'), nullif(json_format(json_extract(document, '$.country')), 'null')) AS given_country,
            coalesce(json_extract_scalar(json_text, '$.region'), nullif(json_format(json_extract(document, '$.region')), 'null')) AS given_region,
            coalesce(json_extract_scalar(json_text, '$.currency'), nullif(json_format(json_extract(document, '$.currency')), 'null')) AS given_currency,
            coalesce(json_extract_scalar(json_text, '$.tier'), nullif(json_format(json_extract(document, '$.tier')), 'null')) AS given_tier,
            coalesce(json_extract_scalar(json_text, '$.status'), nullif(json_format(json_extract(document, '$.status')), 'null')) AS given_status,
            coalesce(json_extract_scalar(json_text, '$.signed_up_at'), nullif(json_format(json_extract(document, '$.signed_up_at')), 'null')) AS given_signed_up_at
        FROM prepared
    ),
    texts AS (
        SELECT
            *,
            trim(BOTH U&' \0009\000A\000D' FROM given_merchant_id) AS text_merchant_id,
            trim(BOTH U&' \0009\000A\000D' FROM given_updated_at) AS text_updated_at,
            trim(BOTH U&' \0009\000A\000D' FROM given_name) AS text_name,
            CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_category) IN ('electronics', 'fashion', 'groceries', 'home', 'books', 'sports', 'beauty', 'travel') THEN trim(BOTH U&' \0009\000A\000D' FROM given_category) ELSE CASE translate(trim(BOTH U&' \0009\000A\000D' FROM given_category), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') WHEN 'electronics' THEN 'electronics' WHEN 'fashion' THEN 'fashion' WHEN 'groceries' THEN 'groceries' WHEN 'home' THEN 'home' WHEN 'books' THEN 'books' WHEN 'sports' THEN 'sports' WHEN 'beauty' THEN 'beauty' WHEN 'travel' THEN 'travel' ELSE trim(BOTH U&' \0009\000A\000D' FROM given_category) END END AS text_category,
            trim(BOTH U&' \0009\000A\000D' FROM given_country) AS text_country,
            CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_region) IN ('north_america', 'south_america', 'europe', 'asia') THEN trim(BOTH U&' \0009\000A\000D' FROM given_region) ELSE CASE translate(trim(BOTH U&' \0009\000A\000D' FROM given_region), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') WHEN 'north_america' THEN 'north_america' WHEN 'south_america' THEN 'south_america' WHEN 'europe' THEN 'europe' WHEN 'asia' THEN 'asia' ELSE trim(BOTH U&' \0009\000A\000D' FROM given_region) END END AS text_region,
            CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_currency) IN ('USD', 'EUR', 'GBP', 'JPY', 'BRL', 'INR') THEN trim(BOTH U&' \0009\000A\000D' FROM given_currency) ELSE CASE translate(trim(BOTH U&' \0009\000A\000D' FROM given_currency), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') WHEN 'usd' THEN 'USD' WHEN 'eur' THEN 'EUR' WHEN 'gbp' THEN 'GBP' WHEN 'jpy' THEN 'JPY' WHEN 'brl' THEN 'BRL' WHEN 'inr' THEN 'INR' WHEN '€' THEN 'EUR' WHEN '£' THEN 'GBP' WHEN '₹' THEN 'INR' WHEN 'r$' THEN 'BRL' WHEN 'us$' THEN 'USD' ELSE trim(BOTH U&' \0009\000A\000D' FROM given_currency) END END AS text_currency,
            CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_tier) IN ('standard', 'plus', 'premier') THEN trim(BOTH U&' \0009\000A\000D' FROM given_tier) ELSE CASE translate(trim(BOTH U&' \0009\000A\000D' FROM given_tier), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') WHEN 'standard' THEN 'standard' WHEN 'plus' THEN 'plus' WHEN 'premier' THEN 'premier' ELSE trim(BOTH U&' \0009\000A\000D' FROM given_tier) END END AS text_tier,
            CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_status) IN ('active', 'suspended') THEN trim(BOTH U&' \0009\000A\000D' FROM given_status) ELSE CASE translate(trim(BOTH U&' \0009\000A\000D' FROM given_status), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') WHEN 'active' THEN 'active' WHEN 'suspended' THEN 'suspended' ELSE trim(BOTH U&' \0009\000A\000D' FROM given_status) END END AS text_status,
            trim(BOTH U&' \0009\000A\000D' FROM given_signed_up_at) AS text_signed_up_at
        FROM given
    ),
    typed AS (
        SELECT
            *,
            text_merchant_id AS merchant_id,
            coalesce(CASE WHEN regexp_like(text_updated_at, '\A[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)?\z') AND try_cast(substr(text_updated_at, 1, 10) AS date) IS NOT NULL THEN at_timezone(TRY(CAST(from_iso8601_timestamp_nanos(CASE WHEN regexp_like(text_updated_at, '(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)\z') THEN regexp_replace(replace(text_updated_at, ' ', 'T'), '([.][0-9]{6})[0-9]+', '$1') ELSE regexp_replace(replace(text_updated_at, ' ', 'T'), '([.][0-9]{6})[0-9]+', '$1') || 'Z' END) AS timestamp(6) with time zone)), 'UTC') END, CASE WHEN regexp_like(text_updated_at, '\A[1-8][0-9]{9}([.][0-9]{1,9})?\z') THEN at_timezone(CAST(from_unixtime_nanos(CAST(try_cast(regexp_replace(text_updated_at, '([.][0-9]{6})[0-9]+', '$1') AS decimal(20,6)) * 1000000 AS bigint) * 1000) AS timestamp(6) with time zone), 'UTC') WHEN regexp_like(text_updated_at, '\A[1-8][0-9]{12}([.]0{1,9})?\z') THEN at_timezone(CAST(from_unixtime_nanos(CAST(try_cast(regexp_replace(text_updated_at, '([.][0-9]{6})[0-9]+', '$1') AS decimal(20,6)) * 1000 AS bigint) * 1000) AS timestamp(6) with time zone), 'UTC') END) AS updated_at,
            text_name AS name,
            text_category AS category,
            text_country AS country,
            text_region AS region,
            text_currency AS currency,
            text_tier AS tier,
            text_status AS status,
            coalesce(CASE WHEN regexp_like(text_signed_up_at, '\A[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)?\z') AND try_cast(substr(text_signed_up_at, 1, 10) AS date) IS NOT NULL THEN at_timezone(TRY(CAST(from_iso8601_timestamp_nanos(CASE WHEN regexp_like(text_signed_up_at, '(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)\z') THEN regexp_replace(replace(text_signed_up_at, ' ', 'T'), '([.][0-9]{6})[0-9]+', '$1') ELSE regexp_replace(replace(text_signed_up_at, ' ', 'T'), '([.][0-9]{6})[0-9]+', '$1') || 'Z' END) AS timestamp(6) with time zone)), 'UTC') END, CASE WHEN regexp_like(text_signed_up_at, '\A[1-8][0-9]{9}([.][0-9]{1,9})?\z') THEN at_timezone(CAST(from_unixtime_nanos(CAST(try_cast(regexp_replace(text_signed_up_at, '([.][0-9]{6})[0-9]+', '$1') AS decimal(20,6)) * 1000000 AS bigint) * 1000) AS timestamp(6) with time zone), 'UTC') WHEN regexp_like(text_signed_up_at, '\A[1-8][0-9]{12}([.]0{1,9})?\z') THEN at_timezone(CAST(from_unixtime_nanos(CAST(try_cast(regexp_replace(text_signed_up_at, '([.][0-9]{6})[0-9]+', '$1') AS decimal(20,6)) * 1000 AS bigint) * 1000) AS timestamp(6) with time zone), 'UTC') END) AS signed_up_at
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
            merchant_id,
            updated_at,
            name,
            category,
            country,
            region,
            currency,
            tier,
            status,
            signed_up_at,
            CASE WHEN value IS NULL THEN 'empty' WHEN length(value) > 1000 AND (length(value) > 1048576 OR length(json_text) - length(replace(replace(json_text, '{', ''), '[', '')) > 500 OR regexp_like(json_text, '[0-9]{800}')) THEN 'excess' WHEN to_utf8(json_text) <> value THEN 'encoding' WHEN position('\u' IN json_text) > 0 AND regexp_like(replace(json_text, chr(92) || chr(92), '#'), '\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]') THEN 'surrogate' WHEN document IS NULL OR CASE WHEN strpos(json_text, chr(92)) > 0 THEN length(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) <> length(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) ELSE length(json_text) - length(replace(json_text, ':', '')) <> length(json_format(document)) - length(replace(json_format(document), ':', '')) END OR NOT regexp_like(json_text, '\A[ \t\r\n]*\{') THEN 'json' WHEN position('\u0000' IN replace(json_text, chr(92) || chr(92), '#')) > 0 THEN 'nul' WHEN text_merchant_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.merchant_id')) LIKE '"%') THEN 'type:merchant_id' WHEN text_updated_at IS NOT NULL AND (updated_at IS NULL) THEN 'type:updated_at' WHEN text_name IS NOT NULL AND (NOT json_format(json_extract(document, '$.name')) LIKE '"%') THEN 'type:name' WHEN text_category IS NOT NULL AND (NOT json_format(json_extract(document, '$.category')) LIKE '"%') THEN 'type:category' WHEN text_country IS NOT NULL AND (NOT json_format(json_extract(document, '$.country')) LIKE '"%') THEN 'type:country' WHEN text_region IS NOT NULL AND (NOT json_format(json_extract(document, '$.region')) LIKE '"%') THEN 'type:region' WHEN text_currency IS NOT NULL AND (NOT json_format(json_extract(document, '$.currency')) LIKE '"%') THEN 'type:currency' WHEN text_tier IS NOT NULL AND (NOT json_format(json_extract(document, '$.tier')) LIKE '"%') THEN 'type:tier' WHEN text_status IS NOT NULL AND (NOT json_format(json_extract(document, '$.status')) LIKE '"%') THEN 'type:status' WHEN text_signed_up_at IS NOT NULL AND (signed_up_at IS NULL) THEN 'type:signed_up_at' WHEN text_merchant_id IS NULL THEN 'required:merchant_id' WHEN text_updated_at IS NULL THEN 'required:updated_at' WHEN text_name IS NULL THEN 'required:name' WHEN text_category IS NULL THEN 'required:category' WHEN text_country IS NULL THEN 'required:country' WHEN text_region IS NULL THEN 'required:region' WHEN text_currency IS NULL THEN 'required:currency' WHEN text_tier IS NULL THEN 'required:tier' WHEN text_status IS NULL THEN 'required:status' WHEN text_signed_up_at IS NULL THEN 'required:signed_up_at' WHEN length(text_merchant_id) < 1 THEN 'length:merchant_id' WHEN length(text_merchant_id) > 64 THEN 'length:merchant_id' WHEN length(text_name) < 1 THEN 'length:name' WHEN length(text_name) > 120 THEN 'length:name' WHEN text_category NOT IN ('electronics', 'fashion', 'groceries', 'home', 'books', 'sports', 'beauty', 'travel') THEN 'enum:category' WHEN length(text_country) < 2 THEN 'length:country' WHEN length(text_country) > 2 THEN 'length:country' WHEN text_region NOT IN ('north_america', 'south_america', 'europe', 'asia') THEN 'enum:region' WHEN text_currency NOT IN ('USD', 'EUR', 'GBP', 'JPY', 'BRL', 'INR') THEN 'enum:currency' WHEN text_tier NOT IN ('standard', 'plus', 'premier') THEN 'enum:tier' WHEN text_status NOT IN ('active', 'suspended') THEN 'enum:status' WHEN updated_at > arrived_at + INTERVAL '1' MINUTE THEN 'future:updated_at' END AS refusal,
            CASE WHEN value IS NULL THEN 'The record has no value.' WHEN length(value) > 1000 AND (length(value) > 1048576 OR length(json_text) - length(replace(replace(json_text, '{', ''), '[', '')) > 500 OR regexp_like(json_text, '[0-9]{800}')) THEN 'The value has more than 1048576 bytes, 500 brackets or 800 digits in a row.' WHEN to_utf8(json_text) <> value THEN 'The value is not valid UTF-8 text.' WHEN position('\u' IN json_text) > 0 AND regexp_like(replace(json_text, chr(92) || chr(92), '#'), '\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]') THEN 'A text has half of a surrogate pair, which is no character.' WHEN document IS NULL OR CASE WHEN strpos(json_text, chr(92)) > 0 THEN length(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) <> length(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) ELSE length(json_text) - length(replace(json_text, ':', '')) <> length(json_format(document)) - length(replace(json_format(document), ':', '')) END OR NOT regexp_like(json_text, '\A[ \t\r\n]*\{') THEN 'The value is not one well-formed JSON object whose keys differ.' WHEN position('\u0000' IN replace(json_text, chr(92) || chr(92), '#')) > 0 THEN 'A text has the character U+0000, which databases cannot keep.' WHEN text_merchant_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.merchant_id')) LIKE '"%') THEN 'merchant_id must be text.' WHEN text_updated_at IS NOT NULL AND (updated_at IS NULL) THEN 'updated_at must be a moment such as 2026-01-31T09:30:00Z.' WHEN text_name IS NOT NULL AND (NOT json_format(json_extract(document, '$.name')) LIKE '"%') THEN 'name must be text.' WHEN text_category IS NOT NULL AND (NOT json_format(json_extract(document, '$.category')) LIKE '"%') THEN 'category must be text.' WHEN text_country IS NOT NULL AND (NOT json_format(json_extract(document, '$.country')) LIKE '"%') THEN 'country must be text.' WHEN text_region IS NOT NULL AND (NOT json_format(json_extract(document, '$.region')) LIKE '"%') THEN 'region must be text.' WHEN text_currency IS NOT NULL AND (NOT json_format(json_extract(document, '$.currency')) LIKE '"%') THEN 'currency must be text.' WHEN text_tier IS NOT NULL AND (NOT json_format(json_extract(document, '$.tier')) LIKE '"%') THEN 'tier must be text.' WHEN text_status IS NOT NULL AND (NOT json_format(json_extract(document, '$.status')) LIKE '"%') THEN 'status must be text.' WHEN text_signed_up_at IS NOT NULL AND (signed_up_at IS NULL) THEN 'signed_up_at must be a moment such as 2026-01-31T09:30:00Z.' WHEN text_merchant_id IS NULL THEN 'merchant_id is required and is missing or null.' WHEN text_updated_at IS NULL THEN 'updated_at is required and is missing or null.' WHEN text_name IS NULL THEN 'name is required and is missing or null.' WHEN text_category IS NULL THEN 'category is required and is missing or null.' WHEN text_country IS NULL THEN 'country is required and is missing or null.' WHEN text_region IS NULL THEN 'region is required and is missing or null.' WHEN text_currency IS NULL THEN 'currency is required and is missing or null.' WHEN text_tier IS NULL THEN 'tier is required and is missing or null.' WHEN text_status IS NULL THEN 'status is required and is missing or null.' WHEN text_signed_up_at IS NULL THEN 'signed_up_at is required and is missing or null.' WHEN length(text_merchant_id) < 1 THEN 'merchant_id is shorter than 1 character(s).' WHEN length(text_merchant_id) > 64 THEN 'merchant_id is longer than 64 character(s).' WHEN length(text_name) < 1 THEN 'name is shorter than 1 character(s).' WHEN length(text_name) > 120 THEN 'name is longer than 120 character(s).' WHEN text_category NOT IN ('electronics', 'fashion', 'groceries', 'home', 'books', 'sports', 'beauty', 'travel') THEN 'category must be one of electronics, fashion, groceries, home, books, sports, beauty, travel.' WHEN length(text_country) < 2 THEN 'country is shorter than 2 character(s).' WHEN length(text_country) > 2 THEN 'country is longer than 2 character(s).' WHEN text_region NOT IN ('north_america', 'south_america', 'europe', 'asia') THEN 'region must be one of north_america, south_america, europe, asia.' WHEN text_currency NOT IN ('USD', 'EUR', 'GBP', 'JPY', 'BRL', 'INR') THEN 'currency must be one of USD, EUR, GBP, JPY, BRL, INR.' WHEN text_tier NOT IN ('standard', 'plus', 'premier') THEN 'tier must be one of standard, plus, premier.' WHEN text_status NOT IN ('active', 'suspended') THEN 'status must be one of active, suspended.' WHEN updated_at > arrived_at + INTERVAL '1' MINUTE THEN 'updated_at is more than 1 minute(s) after the moment the event arrived.' END AS reason,
            CAST(filter(ARRAY[CASE WHEN given_merchant_id <> trim(BOTH U&' \0009\000A\000D' FROM given_merchant_id) THEN 'merchant_id:spaces' END, CASE WHEN given_updated_at <> trim(BOTH U&' \0009\000A\000D' FROM given_updated_at) THEN 'updated_at:spaces' END, CASE WHEN regexp_like(text_updated_at, '\A[1-8][0-9]{9}([.][0-9]{1,9})?\z') OR regexp_like(text_updated_at, '\A[1-8][0-9]{12}([.]0{1,9})?\z') THEN 'updated_at:epoch time' END, CASE WHEN regexp_like(text_updated_at, '\A[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?\z') THEN 'updated_at:time without zone' END, CASE WHEN given_name <> trim(BOTH U&' \0009\000A\000D' FROM given_name) THEN 'name:spaces' END, CASE WHEN given_category <> trim(BOTH U&' \0009\000A\000D' FROM given_category) THEN 'category:spaces' END, CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_category) <> text_category AND translate(trim(BOTH U&' \0009\000A\000D' FROM given_category), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') = translate(text_category, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') THEN 'category:letter case' END, CASE WHEN given_country <> trim(BOTH U&' \0009\000A\000D' FROM given_country) THEN 'country:spaces' END, CASE WHEN given_region <> trim(BOTH U&' \0009\000A\000D' FROM given_region) THEN 'region:spaces' END, CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_region) <> text_region AND translate(trim(BOTH U&' \0009\000A\000D' FROM given_region), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') = translate(text_region, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') THEN 'region:letter case' END, CASE WHEN given_currency <> trim(BOTH U&' \0009\000A\000D' FROM given_currency) THEN 'currency:spaces' END, CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_currency) <> text_currency AND translate(trim(BOTH U&' \0009\000A\000D' FROM given_currency), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') = translate(text_currency, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') THEN 'currency:letter case' END, CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_currency) <> text_currency AND translate(trim(BOTH U&' \0009\000A\000D' FROM given_currency), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') <> translate(text_currency, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') THEN 'currency:currency symbol' END, CASE WHEN given_tier <> trim(BOTH U&' \0009\000A\000D' FROM given_tier) THEN 'tier:spaces' END, CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_tier) <> text_tier AND translate(trim(BOTH U&' \0009\000A\000D' FROM given_tier), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') = translate(text_tier, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') THEN 'tier:letter case' END, CASE WHEN given_status <> trim(BOTH U&' \0009\000A\000D' FROM given_status) THEN 'status:spaces' END, CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_status) <> text_status AND translate(trim(BOTH U&' \0009\000A\000D' FROM given_status), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') = translate(text_status, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') THEN 'status:letter case' END, CASE WHEN given_signed_up_at <> trim(BOTH U&' \0009\000A\000D' FROM given_signed_up_at) THEN 'signed_up_at:spaces' END, CASE WHEN regexp_like(text_signed_up_at, '\A[1-8][0-9]{9}([.][0-9]{1,9})?\z') OR regexp_like(text_signed_up_at, '\A[1-8][0-9]{12}([.]0{1,9})?\z') THEN 'signed_up_at:epoch time' END, CASE WHEN regexp_like(text_signed_up_at, '\A[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?\z') THEN 'signed_up_at:time without zone' END], x -> x IS NOT NULL) AS array(varchar)) AS corrected
        FROM typed
    )
    SELECT * FROM judged
),

final as (
    select
        merchant_id,
        updated_at,
        name as merchant_name,
        category,
        country,
        region,
        currency,
        tier,
        status,
        signed_up_at,
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
