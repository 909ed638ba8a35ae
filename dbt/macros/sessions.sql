{# The sessions of a stream: events of one person with less than a pause between each and the next. Late events and those
   of files are in them, so a session here may be larger than the one that the stream closed, or join several of those.
   A later build works out anew only what new events or newly told sessions touch: they and the sessions within a pause of
   them, which no other session can reach. A session that is gone leaves a row without events, for the model to delete. #}
{% macro sessions_of(stream, identity, by, event_time, gap_seconds, kind, since) %}
{%- set events = ref(stream) %}
{%- set pause = "interval '" ~ gap_seconds ~ "' second" %}
with
told as (
    select session_id, user_id, started_at, events, landed_at
    from {{ ref("sessions") }}
    where stream = '{{ stream }}'
),
{% if since %}
news as (
    select {{ by }} as user_id, {{ event_time }} as moment from {{ events }} where landed_at >= {{ since }}
    union all
    select user_id, started_at from told where landed_at >= {{ since }}
),

affected as (
    select distinct known.session_id, known.user_id, known.started_at, known.ended_at
    from {{ this }} as known
    inner join news
        on
            news.user_id = known.user_id
            and news.moment > known.started_at - {{ pause }}
            and news.moment < known.ended_at + {{ pause }}
    where known.stream = '{{ stream }}'
),
{% endif %}
considered as (
    select
        event.{{ identity }} as event_id,
        event.{{ by }} as user_id,
        event.{{ event_time }} as moment,
        {{ "event." ~ kind if kind else "cast(null as varchar)" }} as kind,
        event.is_late,
        event.origin,
        event.landed_at
    from {{ events }} as event
    {%- if since %}
    left join affected
        on
            affected.user_id = event.{{ by }}
            and event.{{ event_time }} between affected.started_at and affected.ended_at
    where event.landed_at >= {{ since }} or affected.session_id is not null
    {%- endif %}
),

marked as (
    select
        considered.*,
        if(moment < lag(moment) over (partition by user_id order by moment) + {{ pause }}, 0, 1) as begins
    from considered
),

numbered as (
    select marked.*, sum(begins) over (partition by user_id order by moment) as place
    from marked
),

grouped as (
    select
        user_id,
        min_by(event_id, row(moment, event_id)) as first_event,
        min(moment) as started_at,
        max(moment) as ended_at,
        count(*) as events,
        coalesce(histogram(kind), cast(map() as map(varchar, bigint))) as by_type,
        count_if(is_late) as late_events,
        count_if(origin = 'file') as file_events,
        max(landed_at) as landed_at
    from numbered
    group by user_id, place
),

found as (
    select {{ session_id("'" ~ stream ~ "'", "first_event") }} as session_id, grouped.* from grouped
),

told_of as (
    select found.session_id, sum(told.events) as told_events, max(told.landed_at) as landed_at
    from found
    inner join told on told.user_id = found.user_id and told.started_at between found.started_at and found.ended_at
    group by found.session_id
)

select
    found.session_id,
    cast('{{ stream }}' as varchar) as stream,
    found.user_id,
    found.started_at,
    found.ended_at,
    cast(date_diff('millisecond', found.started_at, found.ended_at) as decimal(18, 3)) / 1000 as seconds,
    found.events,
    coalesce(element_at(found.by_type, 'purchase'), 0) as purchases,
    found.by_type,
    found.late_events,
    found.file_events,
    told_of.told_events,
    greatest(found.landed_at, coalesce(told_of.landed_at, found.landed_at)) as landed_at
from found
left join told_of on told_of.session_id = found.session_id
{%- if since %}

union all

select
    affected.session_id, cast('{{ stream }}' as varchar), affected.user_id, affected.started_at, affected.ended_at, cast(0 as decimal(18, 3)), 0, 0,
    cast(map() as map(varchar, bigint)), 0, 0, null, affected.started_at
from affected
left join found on found.session_id = affected.session_id
where found.session_id is null
{%- endif %}
{% endmacro %}


{# As the part `sessions` makes it: headrace.sessions.book.session_id. #}
{% macro session_id(stream, first_event) -%}
    lower(to_hex(md5(to_utf8({{ stream }} || chr(31) || {{ first_event }}))))
{%- endmacro %}
