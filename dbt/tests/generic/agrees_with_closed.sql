{# Every session that the stream closed of late is here with the same figures, but for what came late or by file. #}
{% test agrees_with_closed(model) %}
select told.session_id
from {{ ref("sessions") }} as told
left join {{ model }} as found
    on
        found.stream = told.stream
        and found.user_id = told.user_id
        and told.started_at between found.started_at and found.ended_at
where
    told.landed_at > current_timestamp - interval '7' day
    and (
        found.session_id is null
        or found.told_events <> found.events - found.late_events - found.file_events
        or (
            found.late_events + found.file_events = 0
            and (
                found.session_id <> told.session_id
                or found.ended_at <> told.ended_at
                or found.events <> told.events
                or found.by_type <> cast(json_parse(told.by_type) as map(varchar, bigint))
            )
        )
    )
{% endtest %}
