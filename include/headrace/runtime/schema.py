"""The tables the platform keeps of itself, in database `headrace`."""

from __future__ import annotations

import psycopg

from headrace.settings import Settings

_TABLES = """
create table if not exists streams (
    job text primary key,
    handle jsonb,
    state text not null default 'absent',
    started_at timestamptz,
    heartbeat_at timestamptz,
    batch_id bigint,
    lag bigint,
    landed_through timestamptz,
    restarts integer not null default 0,
    reason text,
    detail jsonb not null default '{}'
);
create table if not exists coverage (
    stream text primary key,
    through timestamptz not null,
    built_at timestamptz not null default now()
);
create table if not exists reconciliation (
    run_at timestamptz not null,
    spec text not null,
    window_start timestamptz not null,
    keys jsonb not null,
    measure text not null,
    live numeric,
    lake numeric,
    late numeric,
    state text not null,
    primary key (spec, window_start, keys, measure, run_at)
);
create table if not exists live_since (
    spec text primary key,
    since timestamptz not null
);
create table if not exists reconciled_metrics (
    run_at timestamptz not null,
    metric text not null,
    since timestamptz not null,
    through timestamptz not null,
    live numeric,
    lake numeric,
    late numeric,
    difference numeric,
    relative double precision,
    state text not null,
    primary key (metric, run_at)
);
create table if not exists dbt_results (
    node text not null,
    day date not null,
    status text not null,
    failures bigint not null,
    seconds double precision not null,
    finished_at timestamptz not null,
    invocation text not null,
    primary key (node, day)
);
alter table dbt_results add column if not exists whole boolean not null default false;
create table if not exists quality (
    table_name text not null,
    day date not null,
    figure text not null,
    good bigint not null,
    counted bigint not null,
    unit text not null,
    threshold numeric not null,
    detail jsonb not null default '{}',
    measured_at timestamptz not null default now(),
    primary key (table_name, day, figure)
);
create table if not exists profiles (
    subject text not null,
    window_start timestamptz not null,
    seconds integer not null,
    records bigint not null,
    shares jsonb not null,
    levels jsonb not null,
    primary key (subject, window_start)
);
create index if not exists profiles_window_start on profiles (window_start);
create table if not exists lineage_events (
    id text primary key,
    at timestamptz not null,
    state text,
    run_id text,
    job_namespace text not null,
    job_name text not null,
    event jsonb not null
);
alter table lineage_events add column if not exists bare boolean not null default false;
create index if not exists lineage_events_of_job on lineage_events (job_namespace, job_name, at desc);
create index if not exists lineage_events_at on lineage_events (at);
create index if not exists lineage_events_bare on lineage_events (at) where bare;
create or replace view lineage_edges as
with told as (
    select distinct on (job_namespace, job_name) job_namespace, job_name, event from lineage_events
    where at > now() - interval '30 days' and not bare and jsonb_array_length(coalesce(event -> 'inputs', '[]')) > 0
        and jsonb_array_length(coalesce(event -> 'outputs', '[]')) > 0
    order by job_namespace, job_name, at desc
)
select distinct source ->> 'namespace' as source_namespace, source ->> 'name' as source,
    target ->> 'namespace' as target_namespace, target ->> 'name' as target,
    job_namespace || '/' || job_name as job
from told, jsonb_array_elements(event -> 'inputs') as source, jsonb_array_elements(event -> 'outputs') as target;
create table if not exists audit_logs (
    id bigint generated always as identity primary key,
    at timestamptz not null default now(),
    actor text not null,
    action text not null,
    subject text not null,
    detail jsonb not null default '{}',
    allowed boolean not null
);
alter table audit_logs add column if not exists old jsonb, add column if not exists new jsonb;
create table if not exists dead_letters (
    letter text not null,
    arrived_at timestamptz not null,
    state text not null check (state in ('replaying', 'replayed', 'dropped')),
    actor text not null,
    at timestamptz not null default now(),
    correlation_id text not null,
    note text not null default '',
    sent_to text,
    primary key (letter, arrived_at)
);
create index if not exists dead_letters_by_run on dead_letters (correlation_id);
create table if not exists anomalies (
    id text primary key,
    scope text not null,
    subject text not null,
    measure text not null,
    state text not null,
    opened_at timestamptz not null,
    window_start timestamptz not null,
    window_minutes integer not null,
    seen double precision not null,
    expected double precision not null,
    low double precision not null,
    high double precision not null,
    score double precision not null,
    unit text not null default '',
    sentence text not null,
    contributors jsonb not null default '[]',
    last_at timestamptz not null,
    closed_at timestamptz,
    alerted boolean not null default false,
    unique (subject, measure, window_start)
);
create index if not exists anomalies_opened_at on anomalies (opened_at);
create table if not exists anomaly_progress (
    part text primary key,
    through timestamptz not null
);
create table if not exists configuration (
    kind text not null,
    name text not null,
    value jsonb not null,
    since timestamptz not null default now(),
    primary key (kind, name)
);
create table if not exists data_sources (
    name text primary key,
    source text not null,
    database text not null,
    event_types text[] not null,
    topics text[] not null
);
create table if not exists event_types (
    name text primary key,
    data_source text not null,
    version text not null,
    kind text not null,
    owner text not null,
    description text not null,
    topic text not null,
    processed_topic text not null,
    raw_table text not null,
    key text not null,
    identity text[] not null,
    event_time text not null,
    fields jsonb not null
);
create table if not exists processing_rules (
    event_type text not null,
    position integer not null,
    name text not null,
    field text,
    sentence text not null,
    primary key (event_type, position)
);
create table if not exists aggregations (
    spec text not null,
    window_start timestamptz not null,
    late boolean not null,
    keys jsonb not null,
    generation bigint not null,
    n bigint not null,
    figures jsonb not null,
    updated_at timestamptz not null default now(),
    primary key (spec, window_start, late, keys)
);
create index if not exists aggregations_window_start on aggregations (window_start);
create table if not exists raw_events (
    topic text not null,
    partition integer not null,
    "offset" bigint not null,
    event_type text not null,
    arrived_at timestamptz not null,
    key bytea,
    value bytea,
    primary key (topic, partition, "offset")
);
create index if not exists raw_events_arrived_at on raw_events (arrived_at);
create table if not exists system_metrics (
    at timestamptz not null,
    kind text not null check (kind in ('part', 'job', 'stream', 'sink')),
    name text not null,
    healthy boolean,
    cpu_percent real,
    memory_mb integer,
    lag bigint,
    per_second real,
    primary key (kind, name, at)
);
create index if not exists system_metrics_at on system_metrics using brin (at);
create table if not exists sinks (
    name text primary key,
    at timestamptz not null,
    lag bigint,
    written bigint not null,
    error text
);
create table if not exists open_sessions (
    stream text not null,
    user_id text not null,
    first_event text not null,
    started_at timestamptz not null,
    ended_at timestamptz not null,
    events bigint not null,
    by_type jsonb not null,
    primary key (stream, user_id, started_at)
);
create table if not exists closed_sessions (
    session_id text primary key,
    closed_at timestamptz not null,
    stream text not null,
    user_id text not null,
    first_event text not null,
    started_at timestamptz not null,
    ended_at timestamptz not null,
    events bigint not null,
    by_type jsonb not null,
    told boolean not null default false
);
create index if not exists closed_sessions_untold on closed_sessions (closed_at) where not told;
create table if not exists session_streams (
    stream text primary key,
    through timestamptz,
    late bigint not null default 0,
    repeated bigint not null default 0,
    refused bigint not null default 0
);
alter table session_streams add column if not exists rule jsonb;
create table if not exists session_progress (
    stream text not null,
    partition integer not null,
    next_offset bigint not null,
    primary key (stream, partition)
);
"""


def ensure_schema(settings: Settings) -> None:
    with psycopg.connect(settings.postgres_dsn("headrace"), connect_timeout=5) as connection:
        # Two starts at once must not race in `create table if not exists`.
        connection.execute("select pg_advisory_xact_lock(731)")
        connection.execute(_TABLES)
