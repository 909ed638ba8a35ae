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
        FROM {{ source("raw", "app_events") }}
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
            coalesce(json_extract_scalar(json_text, '$.session_id'), nullif(json_format(json_extract(document, '$.session_id')), 'null')) AS given_session_id,
            coalesce(json_extract_scalar(json_text, '$.event_type'), nullif(json_format(json_extract(document, '$.event_type')), 'null')) AS given_event_type,
            coalesce(json_extract_scalar(json_text, '$.platform'), nullif(json_format(json_extract(document, '$.platform')), 'null')) AS given_platform,
            coalesce(json_extract_scalar(json_text, '$.page'), nullif(json_format(json_extract(document, '$.page')), 'null')) AS given_page,
            coalesce(json_extract_scalar(json_text, '$.search_text'), nullif(json_format(json_extract(document, '$.search_text')), 'null')) AS given_search_text,
            coalesce(json_extract_scalar(json_text, '$.product_id'), nullif(json_format(json_extract(document, '$.product_id')), 'null')) AS given_product_id,
            coalesce(json_extract_scalar(json_text, '$.merchant_id'), nullif(json_format(json_extract(document, '$.merchant_id')), 'null')) AS given_merchant_id,
            coalesce(json_extract_scalar(json_text, '$.country'), nullif(json_format(json_extract(document, '$.country')), 'null')) AS given_country,
            coalesce(json_extract_scalar(json_text, '$.region'), nullif(json_format(json_extract(document, '$.region')), 'null')) AS given_region
        FROM prepared
    ),
    texts AS (
        SELECT
            *,
            trim(BOTH U&' \0009\000A\000D' FROM given_event_id) AS text_event_id,
            trim(BOTH U&' \0009\000A\000D' FROM given_event_time) AS text_event_time,
            trim(BOTH U&' \0009\000A\000D' FROM given_user_id) AS text_user_id,
            trim(BOTH U&' \0009\000A\000D' FROM given_session_id) AS text_session_id,
            CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_event_type) IN ('sign_in', 'page_view', 'search', 'add_to_cart', 'purchase', 'sign_out') THEN trim(BOTH U&' \0009\000A\000D' FROM given_event_type) ELSE CASE translate(trim(BOTH U&' \0009\000A\000D' FROM given_event_type), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') WHEN 'sign_in' THEN 'sign_in' WHEN 'page_view' THEN 'page_view' WHEN 'search' THEN 'search' WHEN 'add_to_cart' THEN 'add_to_cart' WHEN 'purchase' THEN 'purchase' WHEN 'sign_out' THEN 'sign_out' ELSE trim(BOTH U&' \0009\000A\000D' FROM given_event_type) END END AS text_event_type,
            CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_platform) IN ('web', 'ios', 'android') THEN trim(BOTH U&' \0009\000A\000D' FROM given_platform) ELSE CASE translate(trim(BOTH U&' \0009\000A\000D' FROM given_platform), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') WHEN 'web' THEN 'web' WHEN 'ios' THEN 'ios' WHEN 'android' THEN 'android' ELSE trim(BOTH U&' \0009\000A\000D' FROM given_platform) END END AS text_platform,
            trim(BOTH U&' \0009\000A\000D' FROM given_page) AS text_page,
            trim(BOTH U&' \0009\000A\000D' FROM given_search_text) AS text_search_text,
            trim(BOTH U&' \0009\000A\000D' FROM given_product_id) AS text_product_id,
            trim(BOTH U&' \0009\000A\000D' FROM given_merchant_id) AS text_merchant_id,
            trim(BOTH U&' \0009\000A\000D' FROM given_country) AS text_country,
            CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_region) IN ('north_america', 'south_america', 'europe', 'asia') THEN trim(BOTH U&' \0009\000A\000D' FROM given_region) ELSE CASE translate(trim(BOTH U&' \0009\000A\000D' FROM given_region), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') WHEN 'north_america' THEN 'north_america' WHEN 'south_america' THEN 'south_america' WHEN 'europe' THEN 'europe' WHEN 'asia' THEN 'asia' ELSE trim(BOTH U&' \0009\000A\000D' FROM given_region) END END AS text_region
        FROM given
    ),
    typed AS (
        SELECT
            *,
            text_event_id AS event_id,
            coalesce(CASE WHEN regexp_like(text_event_time, '\A[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)?\z') AND try_cast(substr(text_event_time, 1, 10) AS date) IS NOT NULL THEN at_timezone(TRY(CAST(from_iso8601_timestamp_nanos(CASE WHEN regexp_like(text_event_time, '(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)\z') THEN regexp_replace(replace(text_event_time, ' ', 'T'), '([.][0-9]{6})[0-9]+', '$1') ELSE regexp_replace(replace(text_event_time, ' ', 'T'), '([.][0-9]{6})[0-9]+', '$1') || 'Z' END) AS timestamp(6) with time zone)), 'UTC') END, CASE WHEN regexp_like(text_event_time, '\A[1-8][0-9]{9}([.][0-9]{1,9})?\z') THEN at_timezone(CAST(from_unixtime_nanos(CAST(try_cast(regexp_replace(text_event_time, '([.][0-9]{6})[0-9]+', '$1') AS decimal(20,6)) * 1000000 AS bigint) * 1000) AS timestamp(6) with time zone), 'UTC') WHEN regexp_like(text_event_time, '\A[1-8][0-9]{12}([.]0{1,9})?\z') THEN at_timezone(CAST(from_unixtime_nanos(CAST(try_cast(regexp_replace(text_event_time, '([.][0-9]{6})[0-9]+', '$1') AS decimal(20,6)) * 1000 AS bigint) * 1000) AS timestamp(6) with time zone), 'UTC') END) AS event_time,
            text_user_id AS user_id,
            text_session_id AS session_id,
            text_event_type AS event_type,
            text_platform AS platform,
            text_page AS page,
            text_search_text AS search_text,
            text_product_id AS product_id,
            text_merchant_id AS merchant_id,
            text_country AS country,
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
            session_id,
            event_type,
            platform,
            page,
            search_text,
            product_id,
            merchant_id,
            country,
            region,
            CASE WHEN value IS NULL THEN 'empty' WHEN length(value) > 1000 AND (length(value) > 1048576 OR length(json_text) - length(replace(replace(json_text, '{', ''), '[', '')) > 500 OR regexp_like(json_text, '[0-9]{800}')) THEN 'excess' WHEN to_utf8(json_text) <> value THEN 'encoding' WHEN position('\u' IN json_text) > 0 AND regexp_like(replace(json_text, chr(92) || chr(92), '#'), '\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]') THEN 'surrogate' WHEN document IS NULL OR CASE WHEN strpos(json_text, chr(92)) > 0 THEN length(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) <> length(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) ELSE length(json_text) - length(replace(json_text, ':', '')) <> length(json_format(document)) - length(replace(json_format(document), ':', '')) END OR NOT regexp_like(json_text, '\A[ \t\r\n]*\{') THEN 'json' WHEN position('\u0000' IN replace(json_text, chr(92) || chr(92), '#')) > 0 THEN 'nul' WHEN text_event_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.event_id')) LIKE '"%') THEN 'type:event_id' WHEN text_event_time IS NOT NULL AND (event_time IS NULL) THEN 'type:event_time' WHEN text_user_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.user_id')) LIKE '"%') THEN 'type:user_id' WHEN text_session_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.session_id')) LIKE '"%') THEN 'type:session_id' WHEN text_event_type IS NOT NULL AND (NOT json_format(json_extract(document, '$.event_type')) LIKE '"%') THEN 'type:event_type' WHEN text_platform IS NOT NULL AND (NOT json_format(json_extract(document, '$.platform')) LIKE '"%') THEN 'type:platform' WHEN text_page IS NOT NULL AND (NOT json_format(json_extract(document, '$.page')) LIKE '"%') THEN 'type:page' WHEN text_search_text IS NOT NULL AND (NOT json_format(json_extract(document, '$.search_text')) LIKE '"%') THEN 'type:search_text' WHEN text_product_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.product_id')) LIKE '"%') THEN 'type:product_id' WHEN text_merchant_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.merchant_id')) LIKE '"%') THEN 'type:merchant_id' WHEN text_country IS NOT NULL AND (NOT json_format(json_extract(document, '$.country')) LIKE '"%') THEN 'type:country' WHEN text_region IS NOT NULL AND (NOT json_format(json_extract(document, '$.region')) LIKE '"%') THEN 'type:region' WHEN text_event_id IS NULL THEN 'required:event_id' WHEN text_event_time IS NULL THEN 'required:event_time' WHEN text_user_id IS NULL THEN 'required:user_id' WHEN text_session_id IS NULL THEN 'required:session_id' WHEN text_event_type IS NULL THEN 'required:event_type' WHEN text_platform IS NULL THEN 'required:platform' WHEN text_country IS NULL THEN 'required:country' WHEN text_region IS NULL THEN 'required:region' WHEN length(text_event_id) < 8 THEN 'length:event_id' WHEN length(text_event_id) > 64 THEN 'length:event_id' WHEN length(text_user_id) < 1 THEN 'length:user_id' WHEN length(text_user_id) > 64 THEN 'length:user_id' WHEN length(text_session_id) < 1 THEN 'length:session_id' WHEN length(text_session_id) > 64 THEN 'length:session_id' WHEN text_event_type NOT IN ('sign_in', 'page_view', 'search', 'add_to_cart', 'purchase', 'sign_out') THEN 'enum:event_type' WHEN text_platform NOT IN ('web', 'ios', 'android') THEN 'enum:platform' WHEN length(text_page) < 1 THEN 'length:page' WHEN length(text_page) > 200 THEN 'length:page' WHEN length(text_search_text) < 1 THEN 'length:search_text' WHEN length(text_search_text) > 200 THEN 'length:search_text' WHEN length(text_product_id) < 1 THEN 'length:product_id' WHEN length(text_product_id) > 64 THEN 'length:product_id' WHEN length(text_merchant_id) < 1 THEN 'length:merchant_id' WHEN length(text_merchant_id) > 64 THEN 'length:merchant_id' WHEN length(text_country) < 2 THEN 'length:country' WHEN length(text_country) > 2 THEN 'length:country' WHEN text_region NOT IN ('north_america', 'south_america', 'europe', 'asia') THEN 'enum:region' WHEN event_time > arrived_at + INTERVAL '1' MINUTE THEN 'future:event_time' END AS refusal,
            CASE WHEN value IS NULL THEN 'The record has no value.' WHEN length(value) > 1000 AND (length(value) > 1048576 OR length(json_text) - length(replace(replace(json_text, '{', ''), '[', '')) > 500 OR regexp_like(json_text, '[0-9]{800}')) THEN 'The value has more than 1048576 bytes, 500 brackets or 800 digits in a row.' WHEN to_utf8(json_text) <> value THEN 'The value is not valid UTF-8 text.' WHEN position('\u' IN json_text) > 0 AND regexp_like(replace(json_text, chr(92) || chr(92), '#'), '\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]') THEN 'A text has half of a surrogate pair, which is no character.' WHEN document IS NULL OR CASE WHEN strpos(json_text, chr(92)) > 0 THEN length(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) <> length(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) ELSE length(json_text) - length(replace(json_text, ':', '')) <> length(json_format(document)) - length(replace(json_format(document), ':', '')) END OR NOT regexp_like(json_text, '\A[ \t\r\n]*\{') THEN 'The value is not one well-formed JSON object whose keys differ.' WHEN position('\u0000' IN replace(json_text, chr(92) || chr(92), '#')) > 0 THEN 'A text has the character U+0000, which databases cannot keep.' WHEN text_event_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.event_id')) LIKE '"%') THEN 'event_id must be text.' WHEN text_event_time IS NOT NULL AND (event_time IS NULL) THEN 'event_time must be a moment such as 2026-01-31T09:30:00Z.' WHEN text_user_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.user_id')) LIKE '"%') THEN 'user_id must be text.' WHEN text_session_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.session_id')) LIKE '"%') THEN 'session_id must be text.' WHEN text_event_type IS NOT NULL AND (NOT json_format(json_extract(document, '$.event_type')) LIKE '"%') THEN 'event_type must be text.' WHEN text_platform IS NOT NULL AND (NOT json_format(json_extract(document, '$.platform')) LIKE '"%') THEN 'platform must be text.' WHEN text_page IS NOT NULL AND (NOT json_format(json_extract(document, '$.page')) LIKE '"%') THEN 'page must be text.' WHEN text_search_text IS NOT NULL AND (NOT json_format(json_extract(document, '$.search_text')) LIKE '"%') THEN 'search_text must be text.' WHEN text_product_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.product_id')) LIKE '"%') THEN 'product_id must be text.' WHEN text_merchant_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.merchant_id')) LIKE '"%') THEN 'merchant_id must be text.' WHEN text_country IS NOT NULL AND (NOT json_format(json_extract(document, '$.country')) LIKE '"%') THEN 'country must be text.' WHEN text_region IS NOT NULL AND (NOT json_format(json_extract(document, '$.region')) LIKE '"%') THEN 'region must be text.' WHEN text_event_id IS NULL THEN 'event_id is required and is missing or null.' WHEN text_event_time IS NULL THEN 'event_time is required and is missing or null.' WHEN text_user_id IS NULL THEN 'user_id is required and is missing or null.' WHEN text_session_id IS NULL THEN 'session_id is required and is missing or null.' WHEN text_event_type IS NULL THEN 'event_type is required and is missing or null.' WHEN text_platform IS NULL THEN 'platform is required and is missing or null.' WHEN text_country IS NULL THEN 'country is required and is missing or null.' WHEN text_region IS NULL THEN 'region is required and is missing or null.' WHEN length(text_event_id) < 8 THEN 'event_id is shorter than 8 character(s).' WHEN length(text_event_id) > 64 THEN 'event_id is longer than 64 character(s).' WHEN length(text_user_id) < 1 THEN 'user_id is shorter than 1 character(s).' WHEN length(text_user_id) > 64 THEN 'user_id is longer than 64 character(s).' WHEN length(text_session_id) < 1 THEN 'session_id is shorter than 1 character(s).' WHEN length(text_session_id) > 64 THEN 'session_id is longer than 64 character(s).' WHEN text_event_type NOT IN ('sign_in', 'page_view', 'search', 'add_to_cart', 'purchase', 'sign_out') THEN 'event_type must be one of sign_in, page_view, search, add_to_cart, purchase, sign_out.' WHEN text_platform NOT IN ('web', 'ios', 'android') THEN 'platform must be one of web, ios, android.' WHEN length(text_page) < 1 THEN 'page is shorter than 1 character(s).' WHEN length(text_page) > 200 THEN 'page is longer than 200 character(s).' WHEN length(text_search_text) < 1 THEN 'search_text is shorter than 1 character(s).' WHEN length(text_search_text) > 200 THEN 'search_text is longer than 200 character(s).' WHEN length(text_product_id) < 1 THEN 'product_id is shorter than 1 character(s).' WHEN length(text_product_id) > 64 THEN 'product_id is longer than 64 character(s).' WHEN length(text_merchant_id) < 1 THEN 'merchant_id is shorter than 1 character(s).' WHEN length(text_merchant_id) > 64 THEN 'merchant_id is longer than 64 character(s).' WHEN length(text_country) < 2 THEN 'country is shorter than 2 character(s).' WHEN length(text_country) > 2 THEN 'country is longer than 2 character(s).' WHEN text_region NOT IN ('north_america', 'south_america', 'europe', 'asia') THEN 'region must be one of north_america, south_america, europe, asia.' WHEN event_time > arrived_at + INTERVAL '1' MINUTE THEN 'event_time is more than 1 minute(s) after the moment the event arrived.' END AS reason,
            CAST(filter(ARRAY[CASE WHEN given_event_id <> trim(BOTH U&' \0009\000A\000D' FROM given_event_id) THEN 'event_id:spaces' END, CASE WHEN given_event_time <> trim(BOTH U&' \0009\000A\000D' FROM given_event_time) THEN 'event_time:spaces' END, CASE WHEN regexp_like(text_event_time, '\A[1-8][0-9]{9}([.][0-9]{1,9})?\z') OR regexp_like(text_event_time, '\A[1-8][0-9]{12}([.]0{1,9})?\z') THEN 'event_time:epoch time' END, CASE WHEN regexp_like(text_event_time, '\A[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?\z') THEN 'event_time:time without zone' END, CASE WHEN given_user_id <> trim(BOTH U&' \0009\000A\000D' FROM given_user_id) THEN 'user_id:spaces' END, CASE WHEN given_session_id <> trim(BOTH U&' \0009\000A\000D' FROM given_session_id) THEN 'session_id:spaces' END, CASE WHEN given_event_type <> trim(BOTH U&' \0009\000A\000D' FROM given_event_type) THEN 'event_type:spaces' END, CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_event_type) <> text_event_type AND translate(trim(BOTH U&' \0009\000A\000D' FROM given_event_type), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') = translate(text_event_type, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') THEN 'event_type:letter case' END, CASE WHEN given_platform <> trim(BOTH U&' \0009\000A\000D' FROM given_platform) THEN 'platform:spaces' END, CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_platform) <> text_platform AND translate(trim(BOTH U&' \0009\000A\000D' FROM given_platform), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') = translate(text_platform, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') THEN 'platform:letter case' END, CASE WHEN given_page <> trim(BOTH U&' \0009\000A\000D' FROM given_page) THEN 'page:spaces' END, CASE WHEN given_search_text <> trim(BOTH U&' \0009\000A\000D' FROM given_search_text) THEN 'search_text:spaces' END, CASE WHEN given_product_id <> trim(BOTH U&' \0009\000A\000D' FROM given_product_id) THEN 'product_id:spaces' END, CASE WHEN given_merchant_id <> trim(BOTH U&' \0009\000A\000D' FROM given_merchant_id) THEN 'merchant_id:spaces' END, CASE WHEN given_country <> trim(BOTH U&' \0009\000A\000D' FROM given_country) THEN 'country:spaces' END, CASE WHEN given_region <> trim(BOTH U&' \0009\000A\000D' FROM given_region) THEN 'region:spaces' END, CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_region) <> text_region AND translate(trim(BOTH U&' \0009\000A\000D' FROM given_region), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') = translate(text_region, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') THEN 'region:letter case' END], x -> x IS NOT NULL) AS array(varchar)) AS corrected
        FROM typed
    )
    SELECT * FROM judged
),

final as (
    select
        event_id,
        event_time,
        user_id,
        session_id,
        event_type,
        platform,
        page,
        search_text,
        product_id,
        merchant_id,
        country,
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
