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
        FROM {{ source("raw", "accounts") }}
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
            coalesce(json_extract_scalar(json_text, '$.account_id'), nullif(json_format(json_extract(document, '$.account_id')), 'null')) AS given_account_id,
            coalesce(json_extract_scalar(json_text, '$.updated_at'), nullif(json_format(json_extract(document, '$.updated_at')), 'null')) AS given_updated_at,
            coalesce(json_extract_scalar(json_text, '$.customer_id'), nullif(json_format(json_extract(document, '$.customer_id')), 'null')) AS given_customer_id,
            coalesce(json_extract_scalar(json_text, '$.account_type'), nullif(json_format(json_extract(document, '$.account_type')), 'null')) AS given_account_type,
            coalesce(json_extract_scalar(json_text, '$.account_number'), nullif(json_format(json_extract(document, '$.account_number')), 'null')) AS given_account_number,
            coalesce(json_extract_scalar(json_text, '$.currency'), nullif(json_format(json_extract(document, '$.currency')), 'null')) AS given_currency,
            coalesce(json_extract_scalar(json_text, '$.status'), nullif(json_format(json_extract(document, '$.status')), 'null')) AS given_status,
            coalesce(json_extract_scalar(json_text, '$.opened_at'), nullif(json_format(json_extract(document, '$.opened_at')), 'null')) AS given_opened_at
        FROM prepared
    ),
    texts AS (
        SELECT
            *,
            trim(BOTH U&' \0009\000A\000D' FROM given_account_id) AS text_account_id,
            trim(BOTH U&' \0009\000A\000D' FROM given_updated_at) AS text_updated_at,
            trim(BOTH U&' \0009\000A\000D' FROM given_customer_id) AS text_customer_id,
            CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_account_type) IN ('wallet', 'card', 'bank') THEN trim(BOTH U&' \0009\000A\000D' FROM given_account_type) ELSE CASE translate(trim(BOTH U&' \0009\000A\000D' FROM given_account_type), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') WHEN 'wallet' THEN 'wallet' WHEN 'card' THEN 'card' WHEN 'bank' THEN 'bank' ELSE trim(BOTH U&' \0009\000A\000D' FROM given_account_type) END END AS text_account_type,
            trim(BOTH U&' \0009\000A\000D' FROM given_account_number) AS text_account_number,
            CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_currency) IN ('USD', 'EUR', 'GBP', 'JPY', 'BRL', 'INR') THEN trim(BOTH U&' \0009\000A\000D' FROM given_currency) ELSE CASE translate(trim(BOTH U&' \0009\000A\000D' FROM given_currency), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') WHEN 'usd' THEN 'USD' WHEN 'eur' THEN 'EUR' WHEN 'gbp' THEN 'GBP' WHEN 'jpy' THEN 'JPY' WHEN 'brl' THEN 'BRL' WHEN 'inr' THEN 'INR' WHEN '€' THEN 'EUR' WHEN '£' THEN 'GBP' WHEN '₹' THEN 'INR' WHEN 'r$' THEN 'BRL' WHEN 'us$' THEN 'USD' ELSE trim(BOTH U&' \0009\000A\000D' FROM given_currency) END END AS text_currency,
            CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_status) IN ('open', 'frozen', 'closed') THEN trim(BOTH U&' \0009\000A\000D' FROM given_status) ELSE CASE translate(trim(BOTH U&' \0009\000A\000D' FROM given_status), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') WHEN 'open' THEN 'open' WHEN 'frozen' THEN 'frozen' WHEN 'closed' THEN 'closed' ELSE trim(BOTH U&' \0009\000A\000D' FROM given_status) END END AS text_status,
            trim(BOTH U&' \0009\000A\000D' FROM given_opened_at) AS text_opened_at
        FROM given
    ),
    typed AS (
        SELECT
            *,
            text_account_id AS account_id,
            coalesce(CASE WHEN regexp_like(text_updated_at, '\A[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)?\z') AND try_cast(substr(text_updated_at, 1, 10) AS date) IS NOT NULL THEN at_timezone(TRY(CAST(from_iso8601_timestamp_nanos(CASE WHEN regexp_like(text_updated_at, '(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)\z') THEN regexp_replace(replace(text_updated_at, ' ', 'T'), '([.][0-9]{6})[0-9]+', '$1') ELSE regexp_replace(replace(text_updated_at, ' ', 'T'), '([.][0-9]{6})[0-9]+', '$1') || 'Z' END) AS timestamp(6) with time zone)), 'UTC') END, CASE WHEN regexp_like(text_updated_at, '\A[1-8][0-9]{9}([.][0-9]{1,9})?\z') THEN at_timezone(CAST(from_unixtime_nanos(CAST(try_cast(regexp_replace(text_updated_at, '([.][0-9]{6})[0-9]+', '$1') AS decimal(20,6)) * 1000000 AS bigint) * 1000) AS timestamp(6) with time zone), 'UTC') WHEN regexp_like(text_updated_at, '\A[1-8][0-9]{12}([.]0{1,9})?\z') THEN at_timezone(CAST(from_unixtime_nanos(CAST(try_cast(regexp_replace(text_updated_at, '([.][0-9]{6})[0-9]+', '$1') AS decimal(20,6)) * 1000 AS bigint) * 1000) AS timestamp(6) with time zone), 'UTC') END) AS updated_at,
            text_customer_id AS customer_id,
            text_account_type AS account_type,
            text_account_number AS account_number,
            text_currency AS currency,
            text_status AS status,
            coalesce(CASE WHEN regexp_like(text_opened_at, '\A[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)?\z') AND try_cast(substr(text_opened_at, 1, 10) AS date) IS NOT NULL THEN at_timezone(TRY(CAST(from_iso8601_timestamp_nanos(CASE WHEN regexp_like(text_opened_at, '(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)\z') THEN regexp_replace(replace(text_opened_at, ' ', 'T'), '([.][0-9]{6})[0-9]+', '$1') ELSE regexp_replace(replace(text_opened_at, ' ', 'T'), '([.][0-9]{6})[0-9]+', '$1') || 'Z' END) AS timestamp(6) with time zone)), 'UTC') END, CASE WHEN regexp_like(text_opened_at, '\A[1-8][0-9]{9}([.][0-9]{1,9})?\z') THEN at_timezone(CAST(from_unixtime_nanos(CAST(try_cast(regexp_replace(text_opened_at, '([.][0-9]{6})[0-9]+', '$1') AS decimal(20,6)) * 1000000 AS bigint) * 1000) AS timestamp(6) with time zone), 'UTC') WHEN regexp_like(text_opened_at, '\A[1-8][0-9]{12}([.]0{1,9})?\z') THEN at_timezone(CAST(from_unixtime_nanos(CAST(try_cast(regexp_replace(text_opened_at, '([.][0-9]{6})[0-9]+', '$1') AS decimal(20,6)) * 1000 AS bigint) * 1000) AS timestamp(6) with time zone), 'UTC') END) AS opened_at
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
            account_id,
            updated_at,
            customer_id,
            account_type,
            account_number,
            currency,
            status,
            opened_at,
            CASE WHEN value IS NULL THEN 'empty' WHEN length(value) > 1000 AND (length(value) > 1048576 OR length(json_text) - length(replace(replace(json_text, '{', ''), '[', '')) > 500 OR regexp_like(json_text, '[0-9]{800}')) THEN 'excess' WHEN to_utf8(json_text) <> value THEN 'encoding' WHEN position('\u' IN json_text) > 0 AND regexp_like(replace(json_text, chr(92) || chr(92), '#'), '\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]') THEN 'surrogate' WHEN document IS NULL OR CASE WHEN strpos(json_text, chr(92)) > 0 THEN length(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) <> length(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) ELSE length(json_text) - length(replace(json_text, ':', '')) <> length(json_format(document)) - length(replace(json_format(document), ':', '')) END OR NOT regexp_like(json_text, '\A[ \t\r\n]*\{') THEN 'json' WHEN position('\u0000' IN replace(json_text, chr(92) || chr(92), '#')) > 0 THEN 'nul' WHEN text_account_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.account_id')) LIKE '"%') THEN 'type:account_id' WHEN text_updated_at IS NOT NULL AND (updated_at IS NULL) THEN 'type:updated_at' WHEN text_customer_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.customer_id')) LIKE '"%') THEN 'type:customer_id' WHEN text_account_type IS NOT NULL AND (NOT json_format(json_extract(document, '$.account_type')) LIKE '"%') THEN 'type:account_type' WHEN text_account_number IS NOT NULL AND (NOT json_format(json_extract(document, '$.account_number')) LIKE '"%') THEN 'type:account_number' WHEN text_currency IS NOT NULL AND (NOT json_format(json_extract(document, '$.currency')) LIKE '"%') THEN 'type:currency' WHEN text_status IS NOT NULL AND (NOT json_format(json_extract(document, '$.status')) LIKE '"%') THEN 'type:status' WHEN text_opened_at IS NOT NULL AND (opened_at IS NULL) THEN 'type:opened_at' WHEN text_account_id IS NULL THEN 'required:account_id' WHEN text_updated_at IS NULL THEN 'required:updated_at' WHEN text_customer_id IS NULL THEN 'required:customer_id' WHEN text_account_type IS NULL THEN 'required:account_type' WHEN text_account_number IS NULL THEN 'required:account_number' WHEN text_currency IS NULL THEN 'required:currency' WHEN text_status IS NULL THEN 'required:status' WHEN text_opened_at IS NULL THEN 'required:opened_at' WHEN length(text_account_id) < 1 THEN 'length:account_id' WHEN length(text_account_id) > 64 THEN 'length:account_id' WHEN length(text_customer_id) < 1 THEN 'length:customer_id' WHEN length(text_customer_id) > 64 THEN 'length:customer_id' WHEN text_account_type NOT IN ('wallet', 'card', 'bank') THEN 'enum:account_type' WHEN length(text_account_number) < 4 THEN 'length:account_number' WHEN length(text_account_number) > 34 THEN 'length:account_number' WHEN text_currency NOT IN ('USD', 'EUR', 'GBP', 'JPY', 'BRL', 'INR') THEN 'enum:currency' WHEN text_status NOT IN ('open', 'frozen', 'closed') THEN 'enum:status' WHEN updated_at > arrived_at + INTERVAL '1' MINUTE THEN 'future:updated_at' END AS refusal,
            CASE WHEN value IS NULL THEN 'The record has no value.' WHEN length(value) > 1000 AND (length(value) > 1048576 OR length(json_text) - length(replace(replace(json_text, '{', ''), '[', '')) > 500 OR regexp_like(json_text, '[0-9]{800}')) THEN 'The value has more than 1048576 bytes, 500 brackets or 800 digits in a row.' WHEN to_utf8(json_text) <> value THEN 'The value is not valid UTF-8 text.' WHEN position('\u' IN json_text) > 0 AND regexp_like(replace(json_text, chr(92) || chr(92), '#'), '\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]') THEN 'A text has half of a surrogate pair, which is no character.' WHEN document IS NULL OR CASE WHEN strpos(json_text, chr(92)) > 0 THEN length(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) <> length(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) ELSE length(json_text) - length(replace(json_text, ':', '')) <> length(json_format(document)) - length(replace(json_format(document), ':', '')) END OR NOT regexp_like(json_text, '\A[ \t\r\n]*\{') THEN 'The value is not one well-formed JSON object whose keys differ.' WHEN position('\u0000' IN replace(json_text, chr(92) || chr(92), '#')) > 0 THEN 'A text has the character U+0000, which databases cannot keep.' WHEN text_account_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.account_id')) LIKE '"%') THEN 'account_id must be text.' WHEN text_updated_at IS NOT NULL AND (updated_at IS NULL) THEN 'updated_at must be a moment such as 2026-01-31T09:30:00Z.' WHEN text_customer_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.customer_id')) LIKE '"%') THEN 'customer_id must be text.' WHEN text_account_type IS NOT NULL AND (NOT json_format(json_extract(document, '$.account_type')) LIKE '"%') THEN 'account_type must be text.' WHEN text_account_number IS NOT NULL AND (NOT json_format(json_extract(document, '$.account_number')) LIKE '"%') THEN 'account_number must be text.' WHEN text_currency IS NOT NULL AND (NOT json_format(json_extract(document, '$.currency')) LIKE '"%') THEN 'currency must be text.' WHEN text_status IS NOT NULL AND (NOT json_format(json_extract(document, '$.status')) LIKE '"%') THEN 'status must be text.' WHEN text_opened_at IS NOT NULL AND (opened_at IS NULL) THEN 'opened_at must be a moment such as 2026-01-31T09:30:00Z.' WHEN text_account_id IS NULL THEN 'account_id is required and is missing or null.' WHEN text_updated_at IS NULL THEN 'updated_at is required and is missing or null.' WHEN text_customer_id IS NULL THEN 'customer_id is required and is missing or null.' WHEN text_account_type IS NULL THEN 'account_type is required and is missing or null.' WHEN text_account_number IS NULL THEN 'account_number is required and is missing or null.' WHEN text_currency IS NULL THEN 'currency is required and is missing or null.' WHEN text_status IS NULL THEN 'status is required and is missing or null.' WHEN text_opened_at IS NULL THEN 'opened_at is required and is missing or null.' WHEN length(text_account_id) < 1 THEN 'account_id is shorter than 1 character(s).' WHEN length(text_account_id) > 64 THEN 'account_id is longer than 64 character(s).' WHEN length(text_customer_id) < 1 THEN 'customer_id is shorter than 1 character(s).' WHEN length(text_customer_id) > 64 THEN 'customer_id is longer than 64 character(s).' WHEN text_account_type NOT IN ('wallet', 'card', 'bank') THEN 'account_type must be one of wallet, card, bank.' WHEN length(text_account_number) < 4 THEN 'account_number is shorter than 4 character(s).' WHEN length(text_account_number) > 34 THEN 'account_number is longer than 34 character(s).' WHEN text_currency NOT IN ('USD', 'EUR', 'GBP', 'JPY', 'BRL', 'INR') THEN 'currency must be one of USD, EUR, GBP, JPY, BRL, INR.' WHEN text_status NOT IN ('open', 'frozen', 'closed') THEN 'status must be one of open, frozen, closed.' WHEN updated_at > arrived_at + INTERVAL '1' MINUTE THEN 'updated_at is more than 1 minute(s) after the moment the event arrived.' END AS reason,
            CAST(filter(ARRAY[CASE WHEN given_account_id <> trim(BOTH U&' \0009\000A\000D' FROM given_account_id) THEN 'account_id:spaces' END, CASE WHEN given_updated_at <> trim(BOTH U&' \0009\000A\000D' FROM given_updated_at) THEN 'updated_at:spaces' END, CASE WHEN regexp_like(text_updated_at, '\A[1-8][0-9]{9}([.][0-9]{1,9})?\z') OR regexp_like(text_updated_at, '\A[1-8][0-9]{12}([.]0{1,9})?\z') THEN 'updated_at:epoch time' END, CASE WHEN regexp_like(text_updated_at, '\A[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?\z') THEN 'updated_at:time without zone' END, CASE WHEN given_customer_id <> trim(BOTH U&' \0009\000A\000D' FROM given_customer_id) THEN 'customer_id:spaces' END, CASE WHEN given_account_type <> trim(BOTH U&' \0009\000A\000D' FROM given_account_type) THEN 'account_type:spaces' END, CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_account_type) <> text_account_type AND translate(trim(BOTH U&' \0009\000A\000D' FROM given_account_type), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') = translate(text_account_type, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') THEN 'account_type:letter case' END, CASE WHEN given_account_number <> trim(BOTH U&' \0009\000A\000D' FROM given_account_number) THEN 'account_number:spaces' END, CASE WHEN given_currency <> trim(BOTH U&' \0009\000A\000D' FROM given_currency) THEN 'currency:spaces' END, CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_currency) <> text_currency AND translate(trim(BOTH U&' \0009\000A\000D' FROM given_currency), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') = translate(text_currency, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') THEN 'currency:letter case' END, CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_currency) <> text_currency AND translate(trim(BOTH U&' \0009\000A\000D' FROM given_currency), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') <> translate(text_currency, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') THEN 'currency:currency symbol' END, CASE WHEN given_status <> trim(BOTH U&' \0009\000A\000D' FROM given_status) THEN 'status:spaces' END, CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_status) <> text_status AND translate(trim(BOTH U&' \0009\000A\000D' FROM given_status), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') = translate(text_status, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') THEN 'status:letter case' END, CASE WHEN given_opened_at <> trim(BOTH U&' \0009\000A\000D' FROM given_opened_at) THEN 'opened_at:spaces' END, CASE WHEN regexp_like(text_opened_at, '\A[1-8][0-9]{9}([.][0-9]{1,9})?\z') OR regexp_like(text_opened_at, '\A[1-8][0-9]{12}([.]0{1,9})?\z') THEN 'opened_at:epoch time' END, CASE WHEN regexp_like(text_opened_at, '\A[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?\z') THEN 'opened_at:time without zone' END], x -> x IS NOT NULL) AS array(varchar)) AS corrected
        FROM typed
    )
    SELECT * FROM judged
),

final as (
    select
        account_id,
        updated_at,
        customer_id,
        account_type,
        account_number,
        currency,
        status,
        opened_at,
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
