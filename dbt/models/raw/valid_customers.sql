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
        FROM {{ source("raw", "customers") }}
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
            coalesce(json_extract_scalar(json_text, '$.customer_id'), nullif(json_format(json_extract(document, '$.customer_id')), 'null')) AS given_customer_id,
            coalesce(json_extract_scalar(json_text, '$.updated_at'), nullif(json_format(json_extract(document, '$.updated_at')), 'null')) AS given_updated_at,
            coalesce(json_extract_scalar(json_text, '$.name'), nullif(json_format(json_extract(document, '$.name')), 'null')) AS given_name,
            coalesce(json_extract_scalar(json_text, '$.email'), nullif(json_format(json_extract(document, '$.email')), 'null')) AS given_email,
            coalesce(json_extract_scalar(json_text, '$.country'), nullif(json_format(json_extract(document, '$.country')), 'null')) AS given_country,
            coalesce(json_extract_scalar(json_text, '$.region'), nullif(json_format(json_extract(document, '$.region')), 'null')) AS given_region,
            coalesce(json_extract_scalar(json_text, '$.segment'), nullif(json_format(json_extract(document, '$.segment')), 'null')) AS given_segment,
            coalesce(json_extract_scalar(json_text, '$.signed_up_at'), nullif(json_format(json_extract(document, '$.signed_up_at')), 'null')) AS given_signed_up_at
        FROM prepared
    ),
    texts AS (
        SELECT
            *,
            trim(BOTH U&' \0009\000A\000D' FROM given_customer_id) AS text_customer_id,
            trim(BOTH U&' \0009\000A\000D' FROM given_updated_at) AS text_updated_at,
            trim(BOTH U&' \0009\000A\000D' FROM given_name) AS text_name,
            trim(BOTH U&' \0009\000A\000D' FROM given_email) AS text_email,
            trim(BOTH U&' \0009\000A\000D' FROM given_country) AS text_country,
            CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_region) IN ('north_america', 'south_america', 'europe', 'asia') THEN trim(BOTH U&' \0009\000A\000D' FROM given_region) ELSE CASE translate(trim(BOTH U&' \0009\000A\000D' FROM given_region), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') WHEN 'north_america' THEN 'north_america' WHEN 'south_america' THEN 'south_america' WHEN 'europe' THEN 'europe' WHEN 'asia' THEN 'asia' ELSE trim(BOTH U&' \0009\000A\000D' FROM given_region) END END AS text_region,
            CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_segment) IN ('new', 'regular', 'loyal', 'business') THEN trim(BOTH U&' \0009\000A\000D' FROM given_segment) ELSE CASE translate(trim(BOTH U&' \0009\000A\000D' FROM given_segment), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') WHEN 'new' THEN 'new' WHEN 'regular' THEN 'regular' WHEN 'loyal' THEN 'loyal' WHEN 'business' THEN 'business' ELSE trim(BOTH U&' \0009\000A\000D' FROM given_segment) END END AS text_segment,
            trim(BOTH U&' \0009\000A\000D' FROM given_signed_up_at) AS text_signed_up_at
        FROM given
    ),
    typed AS (
        SELECT
            *,
            text_customer_id AS customer_id,
            coalesce(CASE WHEN regexp_like(text_updated_at, '\A[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)?\z') AND try_cast(substr(text_updated_at, 1, 10) AS date) IS NOT NULL THEN at_timezone(TRY(CAST(from_iso8601_timestamp_nanos(CASE WHEN regexp_like(text_updated_at, '(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)\z') THEN regexp_replace(replace(text_updated_at, ' ', 'T'), '([.][0-9]{6})[0-9]+', '$1') ELSE regexp_replace(replace(text_updated_at, ' ', 'T'), '([.][0-9]{6})[0-9]+', '$1') || 'Z' END) AS timestamp(6) with time zone)), 'UTC') END, CASE WHEN regexp_like(text_updated_at, '\A[1-8][0-9]{9}([.][0-9]{1,9})?\z') THEN at_timezone(CAST(from_unixtime_nanos(CAST(try_cast(regexp_replace(text_updated_at, '([.][0-9]{6})[0-9]+', '$1') AS decimal(20,6)) * 1000000 AS bigint) * 1000) AS timestamp(6) with time zone), 'UTC') WHEN regexp_like(text_updated_at, '\A[1-8][0-9]{12}([.]0{1,9})?\z') THEN at_timezone(CAST(from_unixtime_nanos(CAST(try_cast(regexp_replace(text_updated_at, '([.][0-9]{6})[0-9]+', '$1') AS decimal(20,6)) * 1000 AS bigint) * 1000) AS timestamp(6) with time zone), 'UTC') END) AS updated_at,
            text_name AS name,
            text_email AS email,
            text_country AS country,
            text_region AS region,
            text_segment AS segment,
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
            customer_id,
            updated_at,
            name,
            email,
            country,
            region,
            segment,
            signed_up_at,
            CASE WHEN value IS NULL THEN 'empty' WHEN length(value) > 1000 AND (length(value) > 1048576 OR length(json_text) - length(replace(replace(json_text, '{', ''), '[', '')) > 500 OR regexp_like(json_text, '[0-9]{800}')) THEN 'excess' WHEN to_utf8(json_text) <> value THEN 'encoding' WHEN position('\u' IN json_text) > 0 AND regexp_like(replace(json_text, chr(92) || chr(92), '#'), '\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]') THEN 'surrogate' WHEN document IS NULL OR CASE WHEN strpos(json_text, chr(92)) > 0 THEN length(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) <> length(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) ELSE length(json_text) - length(replace(json_text, ':', '')) <> length(json_format(document)) - length(replace(json_format(document), ':', '')) END OR NOT regexp_like(json_text, '\A[ \t\r\n]*\{') THEN 'json' WHEN position('\u0000' IN replace(json_text, chr(92) || chr(92), '#')) > 0 THEN 'nul' WHEN text_customer_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.customer_id')) LIKE '"%') THEN 'type:customer_id' WHEN text_updated_at IS NOT NULL AND (updated_at IS NULL) THEN 'type:updated_at' WHEN text_name IS NOT NULL AND (NOT json_format(json_extract(document, '$.name')) LIKE '"%') THEN 'type:name' WHEN text_email IS NOT NULL AND (NOT json_format(json_extract(document, '$.email')) LIKE '"%') THEN 'type:email' WHEN text_country IS NOT NULL AND (NOT json_format(json_extract(document, '$.country')) LIKE '"%') THEN 'type:country' WHEN text_region IS NOT NULL AND (NOT json_format(json_extract(document, '$.region')) LIKE '"%') THEN 'type:region' WHEN text_segment IS NOT NULL AND (NOT json_format(json_extract(document, '$.segment')) LIKE '"%') THEN 'type:segment' WHEN text_signed_up_at IS NOT NULL AND (signed_up_at IS NULL) THEN 'type:signed_up_at' WHEN text_customer_id IS NULL THEN 'required:customer_id' WHEN text_updated_at IS NULL THEN 'required:updated_at' WHEN text_name IS NULL THEN 'required:name' WHEN text_email IS NULL THEN 'required:email' WHEN text_country IS NULL THEN 'required:country' WHEN text_region IS NULL THEN 'required:region' WHEN text_segment IS NULL THEN 'required:segment' WHEN text_signed_up_at IS NULL THEN 'required:signed_up_at' WHEN length(text_customer_id) < 1 THEN 'length:customer_id' WHEN length(text_customer_id) > 64 THEN 'length:customer_id' WHEN length(text_name) < 1 THEN 'length:name' WHEN length(text_name) > 120 THEN 'length:name' WHEN length(text_email) < 3 THEN 'length:email' WHEN length(text_email) > 254 THEN 'length:email' WHEN length(text_country) < 2 THEN 'length:country' WHEN length(text_country) > 2 THEN 'length:country' WHEN text_region NOT IN ('north_america', 'south_america', 'europe', 'asia') THEN 'enum:region' WHEN text_segment NOT IN ('new', 'regular', 'loyal', 'business') THEN 'enum:segment' WHEN updated_at > arrived_at + INTERVAL '1' MINUTE THEN 'future:updated_at' END AS refusal,
            CASE WHEN value IS NULL THEN 'The record has no value.' WHEN length(value) > 1000 AND (length(value) > 1048576 OR length(json_text) - length(replace(replace(json_text, '{', ''), '[', '')) > 500 OR regexp_like(json_text, '[0-9]{800}')) THEN 'The value has more than 1048576 bytes, 500 brackets or 800 digits in a row.' WHEN to_utf8(json_text) <> value THEN 'The value is not valid UTF-8 text.' WHEN position('\u' IN json_text) > 0 AND regexp_like(replace(json_text, chr(92) || chr(92), '#'), '\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]') THEN 'A text has half of a surrogate pair, which is no character.' WHEN document IS NULL OR CASE WHEN strpos(json_text, chr(92)) > 0 THEN length(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) <> length(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) ELSE length(json_text) - length(replace(json_text, ':', '')) <> length(json_format(document)) - length(replace(json_format(document), ':', '')) END OR NOT regexp_like(json_text, '\A[ \t\r\n]*\{') THEN 'The value is not one well-formed JSON object whose keys differ.' WHEN position('\u0000' IN replace(json_text, chr(92) || chr(92), '#')) > 0 THEN 'A text has the character U+0000, which databases cannot keep.' WHEN text_customer_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.customer_id')) LIKE '"%') THEN 'customer_id must be text.' WHEN text_updated_at IS NOT NULL AND (updated_at IS NULL) THEN 'updated_at must be a moment such as 2026-01-31T09:30:00Z.' WHEN text_name IS NOT NULL AND (NOT json_format(json_extract(document, '$.name')) LIKE '"%') THEN 'name must be text.' WHEN text_email IS NOT NULL AND (NOT json_format(json_extract(document, '$.email')) LIKE '"%') THEN 'email must be text.' WHEN text_country IS NOT NULL AND (NOT json_format(json_extract(document, '$.country')) LIKE '"%') THEN 'country must be text.' WHEN text_region IS NOT NULL AND (NOT json_format(json_extract(document, '$.region')) LIKE '"%') THEN 'region must be text.' WHEN text_segment IS NOT NULL AND (NOT json_format(json_extract(document, '$.segment')) LIKE '"%') THEN 'segment must be text.' WHEN text_signed_up_at IS NOT NULL AND (signed_up_at IS NULL) THEN 'signed_up_at must be a moment such as 2026-01-31T09:30:00Z.' WHEN text_customer_id IS NULL THEN 'customer_id is required and is missing or null.' WHEN text_updated_at IS NULL THEN 'updated_at is required and is missing or null.' WHEN text_name IS NULL THEN 'name is required and is missing or null.' WHEN text_email IS NULL THEN 'email is required and is missing or null.' WHEN text_country IS NULL THEN 'country is required and is missing or null.' WHEN text_region IS NULL THEN 'region is required and is missing or null.' WHEN text_segment IS NULL THEN 'segment is required and is missing or null.' WHEN text_signed_up_at IS NULL THEN 'signed_up_at is required and is missing or null.' WHEN length(text_customer_id) < 1 THEN 'customer_id is shorter than 1 character(s).' WHEN length(text_customer_id) > 64 THEN 'customer_id is longer than 64 character(s).' WHEN length(text_name) < 1 THEN 'name is shorter than 1 character(s).' WHEN length(text_name) > 120 THEN 'name is longer than 120 character(s).' WHEN length(text_email) < 3 THEN 'email is shorter than 3 character(s).' WHEN length(text_email) > 254 THEN 'email is longer than 254 character(s).' WHEN length(text_country) < 2 THEN 'country is shorter than 2 character(s).' WHEN length(text_country) > 2 THEN 'country is longer than 2 character(s).' WHEN text_region NOT IN ('north_america', 'south_america', 'europe', 'asia') THEN 'region must be one of north_america, south_america, europe, asia.' WHEN text_segment NOT IN ('new', 'regular', 'loyal', 'business') THEN 'segment must be one of new, regular, loyal, business.' WHEN updated_at > arrived_at + INTERVAL '1' MINUTE THEN 'updated_at is more than 1 minute(s) after the moment the event arrived.' END AS reason,
            CAST(filter(ARRAY[CASE WHEN given_customer_id <> trim(BOTH U&' \0009\000A\000D' FROM given_customer_id) THEN 'customer_id:spaces' END, CASE WHEN given_updated_at <> trim(BOTH U&' \0009\000A\000D' FROM given_updated_at) THEN 'updated_at:spaces' END, CASE WHEN regexp_like(text_updated_at, '\A[1-8][0-9]{9}([.][0-9]{1,9})?\z') OR regexp_like(text_updated_at, '\A[1-8][0-9]{12}([.]0{1,9})?\z') THEN 'updated_at:epoch time' END, CASE WHEN regexp_like(text_updated_at, '\A[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?\z') THEN 'updated_at:time without zone' END, CASE WHEN given_name <> trim(BOTH U&' \0009\000A\000D' FROM given_name) THEN 'name:spaces' END, CASE WHEN given_email <> trim(BOTH U&' \0009\000A\000D' FROM given_email) THEN 'email:spaces' END, CASE WHEN given_country <> trim(BOTH U&' \0009\000A\000D' FROM given_country) THEN 'country:spaces' END, CASE WHEN given_region <> trim(BOTH U&' \0009\000A\000D' FROM given_region) THEN 'region:spaces' END, CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_region) <> text_region AND translate(trim(BOTH U&' \0009\000A\000D' FROM given_region), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') = translate(text_region, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') THEN 'region:letter case' END, CASE WHEN given_segment <> trim(BOTH U&' \0009\000A\000D' FROM given_segment) THEN 'segment:spaces' END, CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_segment) <> text_segment AND translate(trim(BOTH U&' \0009\000A\000D' FROM given_segment), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') = translate(text_segment, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') THEN 'segment:letter case' END, CASE WHEN given_signed_up_at <> trim(BOTH U&' \0009\000A\000D' FROM given_signed_up_at) THEN 'signed_up_at:spaces' END, CASE WHEN regexp_like(text_signed_up_at, '\A[1-8][0-9]{9}([.][0-9]{1,9})?\z') OR regexp_like(text_signed_up_at, '\A[1-8][0-9]{12}([.]0{1,9})?\z') THEN 'signed_up_at:epoch time' END, CASE WHEN regexp_like(text_signed_up_at, '\A[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?\z') THEN 'signed_up_at:time without zone' END], x -> x IS NOT NULL) AS array(varchar)) AS corrected
        FROM typed
    )
    SELECT * FROM judged
),

final as (
    select
        customer_id,
        updated_at,
        name as customer_name,
        email,
        country,
        region,
        segment,
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
