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
        FROM {{ source("raw", "sessions") }}
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
            coalesce(json_extract_scalar(json_text, '$.session_id'), nullif(json_format(json_extract(document, '$.session_id')), 'null')) AS given_session_id,
            coalesce(json_extract_scalar(json_text, '$.closed_at'), nullif(json_format(json_extract(document, '$.closed_at')), 'null')) AS given_closed_at,
            coalesce(json_extract_scalar(json_text, '$.stream'), nullif(json_format(json_extract(document, '$.stream')), 'null')) AS given_stream,
            coalesce(json_extract_scalar(json_text, '$.user_id'), nullif(json_format(json_extract(document, '$.user_id')), 'null')) AS given_user_id,
            coalesce(json_extract_scalar(json_text, '$.started_at'), nullif(json_format(json_extract(document, '$.started_at')), 'null')) AS given_started_at,
            coalesce(json_extract_scalar(json_text, '$.ended_at'), nullif(json_format(json_extract(document, '$.ended_at')), 'null')) AS given_ended_at,
            coalesce(json_extract_scalar(json_text, '$.events'), nullif(json_format(json_extract(document, '$.events')), 'null')) AS given_events,
            coalesce(json_extract_scalar(json_text, '$.by_type'), nullif(json_format(json_extract(document, '$.by_type')), 'null')) AS given_by_type
        FROM prepared
    ),
    texts AS (
        SELECT
            *,
            trim(BOTH U&' \0009\000A\000D' FROM given_session_id) AS text_session_id,
            trim(BOTH U&' \0009\000A\000D' FROM given_closed_at) AS text_closed_at,
            trim(BOTH U&' \0009\000A\000D' FROM given_stream) AS text_stream,
            trim(BOTH U&' \0009\000A\000D' FROM given_user_id) AS text_user_id,
            trim(BOTH U&' \0009\000A\000D' FROM given_started_at) AS text_started_at,
            trim(BOTH U&' \0009\000A\000D' FROM given_ended_at) AS text_ended_at,
            trim(BOTH U&' \0009\000A\000D' FROM given_events) AS text_events,
            trim(BOTH U&' \0009\000A\000D' FROM given_by_type) AS text_by_type
        FROM given
    ),
    typed AS (
        SELECT
            *,
            text_session_id AS session_id,
            coalesce(CASE WHEN regexp_like(text_closed_at, '\A[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)?\z') AND try_cast(substr(text_closed_at, 1, 10) AS date) IS NOT NULL THEN at_timezone(TRY(CAST(from_iso8601_timestamp_nanos(CASE WHEN regexp_like(text_closed_at, '(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)\z') THEN regexp_replace(replace(text_closed_at, ' ', 'T'), '([.][0-9]{6})[0-9]+', '$1') ELSE regexp_replace(replace(text_closed_at, ' ', 'T'), '([.][0-9]{6})[0-9]+', '$1') || 'Z' END) AS timestamp(6) with time zone)), 'UTC') END, CASE WHEN regexp_like(text_closed_at, '\A[1-8][0-9]{9}([.][0-9]{1,9})?\z') THEN at_timezone(CAST(from_unixtime_nanos(CAST(try_cast(regexp_replace(text_closed_at, '([.][0-9]{6})[0-9]+', '$1') AS decimal(20,6)) * 1000000 AS bigint) * 1000) AS timestamp(6) with time zone), 'UTC') WHEN regexp_like(text_closed_at, '\A[1-8][0-9]{12}([.]0{1,9})?\z') THEN at_timezone(CAST(from_unixtime_nanos(CAST(try_cast(regexp_replace(text_closed_at, '([.][0-9]{6})[0-9]+', '$1') AS decimal(20,6)) * 1000 AS bigint) * 1000) AS timestamp(6) with time zone), 'UTC') END) AS closed_at,
            text_stream AS stream,
            text_user_id AS user_id,
            coalesce(CASE WHEN regexp_like(text_started_at, '\A[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)?\z') AND try_cast(substr(text_started_at, 1, 10) AS date) IS NOT NULL THEN at_timezone(TRY(CAST(from_iso8601_timestamp_nanos(CASE WHEN regexp_like(text_started_at, '(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)\z') THEN regexp_replace(replace(text_started_at, ' ', 'T'), '([.][0-9]{6})[0-9]+', '$1') ELSE regexp_replace(replace(text_started_at, ' ', 'T'), '([.][0-9]{6})[0-9]+', '$1') || 'Z' END) AS timestamp(6) with time zone)), 'UTC') END, CASE WHEN regexp_like(text_started_at, '\A[1-8][0-9]{9}([.][0-9]{1,9})?\z') THEN at_timezone(CAST(from_unixtime_nanos(CAST(try_cast(regexp_replace(text_started_at, '([.][0-9]{6})[0-9]+', '$1') AS decimal(20,6)) * 1000000 AS bigint) * 1000) AS timestamp(6) with time zone), 'UTC') WHEN regexp_like(text_started_at, '\A[1-8][0-9]{12}([.]0{1,9})?\z') THEN at_timezone(CAST(from_unixtime_nanos(CAST(try_cast(regexp_replace(text_started_at, '([.][0-9]{6})[0-9]+', '$1') AS decimal(20,6)) * 1000 AS bigint) * 1000) AS timestamp(6) with time zone), 'UTC') END) AS started_at,
            coalesce(CASE WHEN regexp_like(text_ended_at, '\A[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)?\z') AND try_cast(substr(text_ended_at, 1, 10) AS date) IS NOT NULL THEN at_timezone(TRY(CAST(from_iso8601_timestamp_nanos(CASE WHEN regexp_like(text_ended_at, '(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)\z') THEN regexp_replace(replace(text_ended_at, ' ', 'T'), '([.][0-9]{6})[0-9]+', '$1') ELSE regexp_replace(replace(text_ended_at, ' ', 'T'), '([.][0-9]{6})[0-9]+', '$1') || 'Z' END) AS timestamp(6) with time zone)), 'UTC') END, CASE WHEN regexp_like(text_ended_at, '\A[1-8][0-9]{9}([.][0-9]{1,9})?\z') THEN at_timezone(CAST(from_unixtime_nanos(CAST(try_cast(regexp_replace(text_ended_at, '([.][0-9]{6})[0-9]+', '$1') AS decimal(20,6)) * 1000000 AS bigint) * 1000) AS timestamp(6) with time zone), 'UTC') WHEN regexp_like(text_ended_at, '\A[1-8][0-9]{12}([.]0{1,9})?\z') THEN at_timezone(CAST(from_unixtime_nanos(CAST(try_cast(regexp_replace(text_ended_at, '([.][0-9]{6})[0-9]+', '$1') AS decimal(20,6)) * 1000 AS bigint) * 1000) AS timestamp(6) with time zone), 'UTC') END) AS ended_at,
            CASE WHEN regexp_like(text_events, '\A-?[0-9]{1,38}([.]0{1,38})?\z') THEN try_cast(try_cast(text_events AS decimal(38,0)) AS bigint) END AS events,
            text_by_type AS by_type
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
            session_id,
            closed_at,
            stream,
            user_id,
            started_at,
            ended_at,
            events,
            by_type,
            CASE WHEN value IS NULL THEN 'empty' WHEN length(value) > 1000 AND (length(value) > 1048576 OR length(json_text) - length(replace(replace(json_text, '{', ''), '[', '')) > 500 OR regexp_like(json_text, '[0-9]{800}')) THEN 'excess' WHEN to_utf8(json_text) <> value THEN 'encoding' WHEN position('\u' IN json_text) > 0 AND regexp_like(replace(json_text, chr(92) || chr(92), '#'), '\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]') THEN 'surrogate' WHEN document IS NULL OR CASE WHEN strpos(json_text, chr(92)) > 0 THEN length(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) <> length(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) ELSE length(json_text) - length(replace(json_text, ':', '')) <> length(json_format(document)) - length(replace(json_format(document), ':', '')) END OR NOT regexp_like(json_text, '\A[ \t\r\n]*\{') THEN 'json' WHEN position('\u0000' IN replace(json_text, chr(92) || chr(92), '#')) > 0 THEN 'nul' WHEN text_session_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.session_id')) LIKE '"%') THEN 'type:session_id' WHEN text_closed_at IS NOT NULL AND (closed_at IS NULL) THEN 'type:closed_at' WHEN text_stream IS NOT NULL AND (NOT json_format(json_extract(document, '$.stream')) LIKE '"%') THEN 'type:stream' WHEN text_user_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.user_id')) LIKE '"%') THEN 'type:user_id' WHEN text_started_at IS NOT NULL AND (started_at IS NULL) THEN 'type:started_at' WHEN text_ended_at IS NOT NULL AND (ended_at IS NULL) THEN 'type:ended_at' WHEN text_events IS NOT NULL AND (NOT regexp_like(text_events, '\A-?[0-9]{1,38}([.]0{1,38})?\z') OR strpos(lower(text_events), 'e') > 0) THEN 'type:events' WHEN text_by_type IS NOT NULL AND (NOT json_format(json_extract(document, '$.by_type')) LIKE '"%') THEN 'type:by_type' WHEN text_session_id IS NULL THEN 'required:session_id' WHEN text_closed_at IS NULL THEN 'required:closed_at' WHEN text_stream IS NULL THEN 'required:stream' WHEN text_user_id IS NULL THEN 'required:user_id' WHEN text_started_at IS NULL THEN 'required:started_at' WHEN text_ended_at IS NULL THEN 'required:ended_at' WHEN text_events IS NULL THEN 'required:events' WHEN text_by_type IS NULL THEN 'required:by_type' WHEN length(text_session_id) < 32 THEN 'length:session_id' WHEN length(text_session_id) > 32 THEN 'length:session_id' WHEN length(text_stream) < 1 THEN 'length:stream' WHEN length(text_stream) > 64 THEN 'length:stream' WHEN length(text_user_id) < 1 THEN 'length:user_id' WHEN length(text_user_id) > 64 THEN 'length:user_id' WHEN text_events IS NOT NULL AND events IS NULL THEN 'range:events' WHEN events < 1 THEN 'range:events' WHEN length(text_by_type) < 2 THEN 'length:by_type' WHEN length(text_by_type) > 4000 THEN 'length:by_type' WHEN closed_at > arrived_at + INTERVAL '1' MINUTE THEN 'future:closed_at' END AS refusal,
            CASE WHEN value IS NULL THEN 'The record has no value.' WHEN length(value) > 1000 AND (length(value) > 1048576 OR length(json_text) - length(replace(replace(json_text, '{', ''), '[', '')) > 500 OR regexp_like(json_text, '[0-9]{800}')) THEN 'The value has more than 1048576 bytes, 500 brackets or 800 digits in a row.' WHEN to_utf8(json_text) <> value THEN 'The value is not valid UTF-8 text.' WHEN position('\u' IN json_text) > 0 AND regexp_like(replace(json_text, chr(92) || chr(92), '#'), '\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]') THEN 'A text has half of a surrogate pair, which is no character.' WHEN document IS NULL OR CASE WHEN strpos(json_text, chr(92)) > 0 THEN length(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_text, '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) <> length(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', '')) - length(replace(regexp_replace(json_format(document), '"[^"\\]*(?:\\.[^"\\]*)*"', ''), ':', '')) ELSE length(json_text) - length(replace(json_text, ':', '')) <> length(json_format(document)) - length(replace(json_format(document), ':', '')) END OR NOT regexp_like(json_text, '\A[ \t\r\n]*\{') THEN 'The value is not one well-formed JSON object whose keys differ.' WHEN position('\u0000' IN replace(json_text, chr(92) || chr(92), '#')) > 0 THEN 'A text has the character U+0000, which databases cannot keep.' WHEN text_session_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.session_id')) LIKE '"%') THEN 'session_id must be text.' WHEN text_closed_at IS NOT NULL AND (closed_at IS NULL) THEN 'closed_at must be a moment such as 2026-01-31T09:30:00Z.' WHEN text_stream IS NOT NULL AND (NOT json_format(json_extract(document, '$.stream')) LIKE '"%') THEN 'stream must be text.' WHEN text_user_id IS NOT NULL AND (NOT json_format(json_extract(document, '$.user_id')) LIKE '"%') THEN 'user_id must be text.' WHEN text_started_at IS NOT NULL AND (started_at IS NULL) THEN 'started_at must be a moment such as 2026-01-31T09:30:00Z.' WHEN text_ended_at IS NOT NULL AND (ended_at IS NULL) THEN 'ended_at must be a moment such as 2026-01-31T09:30:00Z.' WHEN text_events IS NOT NULL AND (NOT regexp_like(text_events, '\A-?[0-9]{1,38}([.]0{1,38})?\z') OR strpos(lower(text_events), 'e') > 0) THEN 'events must be a whole number.' WHEN text_by_type IS NOT NULL AND (NOT json_format(json_extract(document, '$.by_type')) LIKE '"%') THEN 'by_type must be text.' WHEN text_session_id IS NULL THEN 'session_id is required and is missing or null.' WHEN text_closed_at IS NULL THEN 'closed_at is required and is missing or null.' WHEN text_stream IS NULL THEN 'stream is required and is missing or null.' WHEN text_user_id IS NULL THEN 'user_id is required and is missing or null.' WHEN text_started_at IS NULL THEN 'started_at is required and is missing or null.' WHEN text_ended_at IS NULL THEN 'ended_at is required and is missing or null.' WHEN text_events IS NULL THEN 'events is required and is missing or null.' WHEN text_by_type IS NULL THEN 'by_type is required and is missing or null.' WHEN length(text_session_id) < 32 THEN 'session_id is shorter than 32 character(s).' WHEN length(text_session_id) > 32 THEN 'session_id is longer than 32 character(s).' WHEN length(text_stream) < 1 THEN 'stream is shorter than 1 character(s).' WHEN length(text_stream) > 64 THEN 'stream is longer than 64 character(s).' WHEN length(text_user_id) < 1 THEN 'user_id is shorter than 1 character(s).' WHEN length(text_user_id) > 64 THEN 'user_id is longer than 64 character(s).' WHEN text_events IS NOT NULL AND events IS NULL THEN 'events is too large for bigint.' WHEN events < 1 THEN 'events is below 1.' WHEN length(text_by_type) < 2 THEN 'by_type is shorter than 2 character(s).' WHEN length(text_by_type) > 4000 THEN 'by_type is longer than 4000 character(s).' WHEN closed_at > arrived_at + INTERVAL '1' MINUTE THEN 'closed_at is more than 1 minute(s) after the moment the event arrived.' END AS reason,
            CAST(filter(ARRAY[CASE WHEN given_session_id <> trim(BOTH U&' \0009\000A\000D' FROM given_session_id) THEN 'session_id:spaces' END, CASE WHEN given_closed_at <> trim(BOTH U&' \0009\000A\000D' FROM given_closed_at) THEN 'closed_at:spaces' END, CASE WHEN regexp_like(text_closed_at, '\A[1-8][0-9]{9}([.][0-9]{1,9})?\z') OR regexp_like(text_closed_at, '\A[1-8][0-9]{12}([.]0{1,9})?\z') THEN 'closed_at:epoch time' END, CASE WHEN regexp_like(text_closed_at, '\A[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?\z') THEN 'closed_at:time without zone' END, CASE WHEN given_stream <> trim(BOTH U&' \0009\000A\000D' FROM given_stream) THEN 'stream:spaces' END, CASE WHEN given_user_id <> trim(BOTH U&' \0009\000A\000D' FROM given_user_id) THEN 'user_id:spaces' END, CASE WHEN given_started_at <> trim(BOTH U&' \0009\000A\000D' FROM given_started_at) THEN 'started_at:spaces' END, CASE WHEN regexp_like(text_started_at, '\A[1-8][0-9]{9}([.][0-9]{1,9})?\z') OR regexp_like(text_started_at, '\A[1-8][0-9]{12}([.]0{1,9})?\z') THEN 'started_at:epoch time' END, CASE WHEN regexp_like(text_started_at, '\A[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?\z') THEN 'started_at:time without zone' END, CASE WHEN given_ended_at <> trim(BOTH U&' \0009\000A\000D' FROM given_ended_at) THEN 'ended_at:spaces' END, CASE WHEN regexp_like(text_ended_at, '\A[1-8][0-9]{9}([.][0-9]{1,9})?\z') OR regexp_like(text_ended_at, '\A[1-8][0-9]{12}([.]0{1,9})?\z') THEN 'ended_at:epoch time' END, CASE WHEN regexp_like(text_ended_at, '\A[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?\z') THEN 'ended_at:time without zone' END, CASE WHEN given_events <> trim(BOTH U&' \0009\000A\000D' FROM given_events) THEN 'events:spaces' END, CASE WHEN json_format(json_extract(document, '$.events')) LIKE '"%' THEN 'events:number as text' END, CASE WHEN given_by_type <> trim(BOTH U&' \0009\000A\000D' FROM given_by_type) THEN 'by_type:spaces' END], x -> x IS NOT NULL) AS array(varchar)) AS corrected
        FROM typed
    )
    SELECT * FROM judged
),

final as (
    select
        session_id,
        closed_at,
        stream,
        user_id,
        started_at,
        ended_at,
        events,
        by_type,
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
