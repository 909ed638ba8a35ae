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
        FROM {{ source("raw", "application_logs") }}
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
            coalesce(json_extract_scalar(json_text, '$.service'), nullif(json_format(json_extract(document, '$.service')), 'null')) AS given_service,
            coalesce(json_extract_scalar(json_text, '$.level'), nullif(json_format(json_extract(document, '$.level')), 'null')) AS given_level,
            coalesce(json_extract_scalar(json_text, '$.message'), nullif(json_format(json_extract(document, '$.message')), 'null')) AS given_message,
            coalesce(json_extract_scalar(json_text, '$.logger'), nullif(json_format(json_extract(document, '$.logger')), 'null')) AS given_logger,
            coalesce(json_extract_scalar(json_text, '$.host'), nullif(json_format(json_extract(document, '$.host')), 'null')) AS given_host,
            coalesce(json_extract_scalar(json_text, '$.request_id'), nullif(json_format(json_extract(document, '$.request_id')), 'null')) AS given_request_id,
            coalesce(json_extract_scalar(json_text, '$.exception'), nullif(json_format(json_extract(document, '$.exception')), 'null')) AS given_exception
        FROM prepared
    ),
    texts AS (
        SELECT
            *,
            trim(BOTH U&' \0009\000A\000D' FROM given_event_id) AS text_event_id,
            trim(BOTH U&' \0009\000A\000D' FROM given_event_time) AS text_event_time,
            trim(BOTH U&' \0009\000A\000D' FROM given_service) AS text_service,
            CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_level) IN ('debug', 'info', 'warning', 'error', 'critical') THEN trim(BOTH U&' \0009\000A\000D' FROM given_level) ELSE CASE translate(trim(BOTH U&' \0009\000A\000D' FROM given_level), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') WHEN 'debug' THEN 'debug' WHEN 'info' THEN 'info' WHEN 'warning' THEN 'warning' WHEN 'error' THEN 'error' WHEN 'critical' THEN 'critical' ELSE trim(BOTH U&' \0009\000A\000D' FROM given_level) END END AS text_level,
            trim(BOTH U&' \0009\000A\000D' FROM given_message) AS text_message,
            trim(BOTH U&' \0009\000A\000D' FROM given_logger) AS text_logger,
            trim(BOTH U&' \0009\000A\000D' FROM given_host) AS text_host,
            trim(BOTH U&' \0009\000A\000D' FROM given_request_id) AS text_request_id,
            trim(BOTH U&' \0009\000A\000D' FROM given_exception) AS text_exception
        FROM given
    ),
    typed AS (
        SELECT
            *,
            text_event_id AS event_id,
            coalesce(CASE WHEN regexp_like(text_event_time, '\A[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)?\z') AND try_cast(substr(text_event_time, 1, 10) AS date) IS NOT NULL THEN at_timezone(TRY(CAST(from_iso8601_timestamp_nanos(CASE WHEN regexp_like(text_event_time, '(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)\z') THEN regexp_replace(replace(text_event_time, ' ', 'T'), '([.][0-9]{6})[0-9]+', '$1') ELSE regexp_replace(replace(text_event_time, ' ', 'T'), '([.][0-9]{6})[0-9]+', '$1') || 'Z' END) AS timestamp(6) with time zone)), 'UTC') END, CASE WHEN regexp_like(text_event_time, '\A[1-8][0-9]{9}([.][0-9]{1,9})?\z') THEN at_timezone(CAST(from_unixtime_nanos(CAST(try_cast(regexp_replace(text_event_time, '([.][0-9]{6})[0-9]+', '$1') AS decimal(20,6)) * 1000000 AS bigint) * 1000) AS timestamp(6) with time zone), 'UTC') WHEN regexp_like(text_event_time, '\A[1-8][0-9]{12}([.]0{1,9})?\z') THEN at_timezone(CAST(from_unixtime_nanos(CAST(try_cast(regexp_replace(text_event_time, '([.][0-9]{6})[0-9]+', '$1') AS decimal(20,6)) * 1000 AS bigint) * 1000) AS timestamp(6) with time zone), 'UTC') END) AS event_time,
            text_service AS service,
            text_level AS level,
            text_message AS message,
            text_logger AS logger,
            text_host AS host,
            text_request_id AS request_id,
            text_exception AS exception
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
            service,
            level,
            message,
            logger,
            host,
            request_id,
            exception,
            CASE WHEN value IS NULL THEN 'empty' WHEN length(value) > 1000 AND (length(value) > 1048576 OR length(json_text) - length(replace(replace(json_text, '{', ''), '[', '')) > 500 OR regexp_like(json_text, '[0-9]{800}')) THEN 'excess' WHEN to_utf8(json_text) <> value THEN 'encoding' WHEN position('\u' IN json_text) > 0 AND regexp_like(replace(json_text, chr(92) || chr(92), '#'), '\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]') THEN 'surrogate' WHEN document IS NULL OR CASE WHEN strpos(json_text, chr(92)) > 0 THEN length(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) <> length(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) ELSE length(json_text) - length(replace(json_text, ':', '')) <> length(json_format(document)) - length(replace(json_format(document), ':', '')) END OR NOT regexp_like(json_text, '\A[ \t\r\n]*\{') THEN 'json' WHEN position('\u0000' IN replace(json_text, chr(92) || chr(92), '#')) > 0 THEN 'nul' WHEN text_event_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.event_id')) LIKE '"%') THEN 'type:event_id' WHEN text_event_time IS NOT NULL AND (event_time IS NULL) THEN 'type:event_time' WHEN text_service IS NOT NULL AND (NOT json_format(json_extract(document, '$.service')) LIKE '"%') THEN 'type:service' WHEN text_level IS NOT NULL AND (NOT json_format(json_extract(document, '$.level')) LIKE '"%') THEN 'type:level' WHEN text_message IS NOT NULL AND (NOT json_format(json_extract(document, '$.message')) LIKE '"%') THEN 'type:message' WHEN text_logger IS NOT NULL AND (NOT json_format(json_extract(document, '$.logger')) LIKE '"%') THEN 'type:logger' WHEN text_host IS NOT NULL AND (NOT json_format(json_extract(document, '$.host')) LIKE '"%') THEN 'type:host' WHEN text_request_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.request_id')) LIKE '"%') THEN 'type:request_id' WHEN text_exception IS NOT NULL AND (NOT json_format(json_extract(document, '$.exception')) LIKE '"%') THEN 'type:exception' WHEN text_event_id IS NULL THEN 'required:event_id' WHEN text_event_time IS NULL THEN 'required:event_time' WHEN text_service IS NULL THEN 'required:service' WHEN text_level IS NULL THEN 'required:level' WHEN text_message IS NULL THEN 'required:message' WHEN length(text_event_id) < 8 THEN 'length:event_id' WHEN length(text_event_id) > 64 THEN 'length:event_id' WHEN length(text_service) < 1 THEN 'length:service' WHEN length(text_service) > 64 THEN 'length:service' WHEN text_level NOT IN ('debug', 'info', 'warning', 'error', 'critical') THEN 'enum:level' WHEN length(text_message) < 1 THEN 'length:message' WHEN length(text_message) > 8000 THEN 'length:message' WHEN length(text_logger) < 1 THEN 'length:logger' WHEN length(text_logger) > 200 THEN 'length:logger' WHEN length(text_host) < 1 THEN 'length:host' WHEN length(text_host) > 200 THEN 'length:host' WHEN length(text_request_id) < 1 THEN 'length:request_id' WHEN length(text_request_id) > 128 THEN 'length:request_id' WHEN length(text_exception) < 1 THEN 'length:exception' WHEN length(text_exception) > 32000 THEN 'length:exception' WHEN event_time > arrived_at + INTERVAL '1' MINUTE THEN 'future:event_time' END AS refusal,
            CASE WHEN value IS NULL THEN 'The record has no value.' WHEN length(value) > 1000 AND (length(value) > 1048576 OR length(json_text) - length(replace(replace(json_text, '{', ''), '[', '')) > 500 OR regexp_like(json_text, '[0-9]{800}')) THEN 'The value has more than 1048576 bytes, 500 brackets or 800 digits in a row.' WHEN to_utf8(json_text) <> value THEN 'The value is not valid UTF-8 text.' WHEN position('\u' IN json_text) > 0 AND regexp_like(replace(json_text, chr(92) || chr(92), '#'), '\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]') THEN 'A text has half of a surrogate pair, which is no character.' WHEN document IS NULL OR CASE WHEN strpos(json_text, chr(92)) > 0 THEN length(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) <> length(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) ELSE length(json_text) - length(replace(json_text, ':', '')) <> length(json_format(document)) - length(replace(json_format(document), ':', '')) END OR NOT regexp_like(json_text, '\A[ \t\r\n]*\{') THEN 'The value is not one well-formed JSON object whose keys differ.' WHEN position('\u0000' IN replace(json_text, chr(92) || chr(92), '#')) > 0 THEN 'A text has the character U+0000, which databases cannot keep.' WHEN text_event_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.event_id')) LIKE '"%') THEN 'event_id must be text.' WHEN text_event_time IS NOT NULL AND (event_time IS NULL) THEN 'event_time must be a moment such as 2026-01-31T09:30:00Z.' WHEN text_service IS NOT NULL AND (NOT json_format(json_extract(document, '$.service')) LIKE '"%') THEN 'service must be text.' WHEN text_level IS NOT NULL AND (NOT json_format(json_extract(document, '$.level')) LIKE '"%') THEN 'level must be text.' WHEN text_message IS NOT NULL AND (NOT json_format(json_extract(document, '$.message')) LIKE '"%') THEN 'message must be text.' WHEN text_logger IS NOT NULL AND (NOT json_format(json_extract(document, '$.logger')) LIKE '"%') THEN 'logger must be text.' WHEN text_host IS NOT NULL AND (NOT json_format(json_extract(document, '$.host')) LIKE '"%') THEN 'host must be text.' WHEN text_request_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.request_id')) LIKE '"%') THEN 'request_id must be text.' WHEN text_exception IS NOT NULL AND (NOT json_format(json_extract(document, '$.exception')) LIKE '"%') THEN 'exception must be text.' WHEN text_event_id IS NULL THEN 'event_id is required and is missing or null.' WHEN text_event_time IS NULL THEN 'event_time is required and is missing or null.' WHEN text_service IS NULL THEN 'service is required and is missing or null.' WHEN text_level IS NULL THEN 'level is required and is missing or null.' WHEN text_message IS NULL THEN 'message is required and is missing or null.' WHEN length(text_event_id) < 8 THEN 'event_id is shorter than 8 character(s).' WHEN length(text_event_id) > 64 THEN 'event_id is longer than 64 character(s).' WHEN length(text_service) < 1 THEN 'service is shorter than 1 character(s).' WHEN length(text_service) > 64 THEN 'service is longer than 64 character(s).' WHEN text_level NOT IN ('debug', 'info', 'warning', 'error', 'critical') THEN 'level must be one of debug, info, warning, error, critical.' WHEN length(text_message) < 1 THEN 'message is shorter than 1 character(s).' WHEN length(text_message) > 8000 THEN 'message is longer than 8000 character(s).' WHEN length(text_logger) < 1 THEN 'logger is shorter than 1 character(s).' WHEN length(text_logger) > 200 THEN 'logger is longer than 200 character(s).' WHEN length(text_host) < 1 THEN 'host is shorter than 1 character(s).' WHEN length(text_host) > 200 THEN 'host is longer than 200 character(s).' WHEN length(text_request_id) < 1 THEN 'request_id is shorter than 1 character(s).' WHEN length(text_request_id) > 128 THEN 'request_id is longer than 128 character(s).' WHEN length(text_exception) < 1 THEN 'exception is shorter than 1 character(s).' WHEN length(text_exception) > 32000 THEN 'exception is longer than 32000 character(s).' WHEN event_time > arrived_at + INTERVAL '1' MINUTE THEN 'event_time is more than 1 minute(s) after the moment the event arrived.' END AS reason,
            CAST(filter(ARRAY[CASE WHEN given_event_id <> trim(BOTH U&' \0009\000A\000D' FROM given_event_id) THEN 'event_id:spaces' END, CASE WHEN given_event_time <> trim(BOTH U&' \0009\000A\000D' FROM given_event_time) THEN 'event_time:spaces' END, CASE WHEN regexp_like(text_event_time, '\A[1-8][0-9]{9}([.][0-9]{1,9})?\z') OR regexp_like(text_event_time, '\A[1-8][0-9]{12}([.]0{1,9})?\z') THEN 'event_time:epoch time' END, CASE WHEN regexp_like(text_event_time, '\A[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?\z') THEN 'event_time:time without zone' END, CASE WHEN given_service <> trim(BOTH U&' \0009\000A\000D' FROM given_service) THEN 'service:spaces' END, CASE WHEN given_level <> trim(BOTH U&' \0009\000A\000D' FROM given_level) THEN 'level:spaces' END, CASE WHEN trim(BOTH U&' \0009\000A\000D' FROM given_level) <> text_level AND translate(trim(BOTH U&' \0009\000A\000D' FROM given_level), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') = translate(text_level, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') THEN 'level:letter case' END, CASE WHEN given_message <> trim(BOTH U&' \0009\000A\000D' FROM given_message) THEN 'message:spaces' END, CASE WHEN given_logger <> trim(BOTH U&' \0009\000A\000D' FROM given_logger) THEN 'logger:spaces' END, CASE WHEN given_host <> trim(BOTH U&' \0009\000A\000D' FROM given_host) THEN 'host:spaces' END, CASE WHEN given_request_id <> trim(BOTH U&' \0009\000A\000D' FROM given_request_id) THEN 'request_id:spaces' END, CASE WHEN given_exception <> trim(BOTH U&' \0009\000A\000D' FROM given_exception) THEN 'exception:spaces' END], x -> x IS NOT NULL) AS array(varchar)) AS corrected
        FROM typed
    )
    SELECT * FROM judged
),

final as (
    select
        event_id,
        event_time,
        service,
        level,
        message,
        logger,
        host,
        request_id,
        exception,
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
