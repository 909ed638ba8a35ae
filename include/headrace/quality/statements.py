"""What Trino is asked: counts by day of arrival, one statement for a table, all days at once."""

from __future__ import annotations

from datetime import date, timedelta

from headrace.contracts.model import Contract, Field
from headrace.lake.models import column, keys
from headrace.quality.tables import Curated, Processed


def arrived(table: Processed, first: date, last: date) -> str:
    """day, records, identities, refused, lost. A record without a readable identity is one of its own.

    What is not found by its identity under the rows that arrived in these days is looked for once more, by what the gate
    makes of it, in the whole table: it may be a repeat from before, a newer state may stand for it, or it was refused.
    """
    name, contract = table.contract.name, table.contract
    identity = _joined(f"json_extract_scalar(from_utf8(value), '$.{key}')" for key in keys(contract))
    typed = " and ".join(f"known.{key} = valid.{key}" for key in table.keys)
    # They are no states, of which a row is to be found.
    deletions = " and (value is not null or key is null)" if contract.history else ""
    return f"""
with came as (
    select cast(arrived_at as date) as day, topic, "partition" as part, "offset" as place, {identity} as told
    from lake.raw.{name} where {_within("arrived_at", first, last)}{deletions}
),
identified as (
    select came.*, coalesce(told, topic || ':' || cast(part as varchar) || ':' || cast(place as varchar)) as identity
    from came
),
present as (
    select distinct {_joined(f"cast({key} as varchar)" for key in table.keys)} as identity
    from {table.told(name)} where {_within("arrived_at", first, last)}
),
absent as (
    select identified.* from identified left join present on present.identity = identified.identity
    where present.identity is null
),
judged as (
    select absent.day, absent.identity, valid.source_offset is not null as accepted, known.{table.keys[0]} is not null as known
    from absent
    left join lake.raw.valid_{name} as valid
        on valid.source_topic = absent.topic and valid.source_partition = absent.part
        and valid.source_offset = absent.place and {_within("valid.arrived_at", first, last)}
    left join {table.told(name)} as known on {typed}
),
missing as (
    select day, identity, bool_or(accepted) as accepted from judged
    group by day, identity having not bool_or(known)
),
totals as (select day, count(*) as records, count(distinct identity) as identities from identified group by day),
gaps as (select day, count_if(not accepted) as refused, count_if(accepted) as lost from missing group by day)
select totals.day, records, identities, coalesce(refused, 0), coalesce(lost, 0)
from totals left join gaps on gaps.day = totals.day order by 1
"""  # noqa: S608 - names from contracts, which are examined


def kept(table: Processed, first: date, last: date, lateness_minutes: int) -> str:
    """day, rows, distinct keys, rows within the contract, stream rows, of them in time, corrected rows, known references."""
    return f"""
select
    cast(kept.arrived_at as date) as day, count(*), count(distinct {_joined(f"cast(kept.{key} as varchar)" for key in table.keys)}),
    count_if({_within_contract(table.contract, "kept")}),
    count_if(kept.origin = 'stream'), count_if(kept.origin = 'stream' and {_in_time(table.contract, lateness_minutes)}),
    count_if(cardinality(kept.corrected) > 0), count_if({_known(table)})
from lake.processed.{table.contract.name} as kept
where {_within("kept.arrived_at", first, last)}
group by 1 order by 1
"""  # noqa: S608


def copied(table: Curated, first: date, last: date, lateness_minutes: int) -> str:
    """day, rows that should be there, of them there, rows, equal rows, stream rows, of them in time, known references."""
    source = table.source
    joined = " and ".join(f"copy.{key} = kept.{key}" for key in source.keys)
    there = f"copy.{source.keys[0]} is not null"
    equal = " and ".join([there, *(f"copy.{name} is not distinct from kept.{name}" for name in table.shared)])
    keyed = _joined(f"cast(kept.{key} as varchar)" for key in source.keys)
    return f"""
select
    cast(kept.arrived_at as date) as day, count(distinct {keyed}), count(distinct if({there}, {keyed})), count_if({there}),
    count_if({equal}), count_if({there} and kept.origin = 'stream'),
    count_if({there} and kept.origin = 'stream' and {_in_time(source.contract, lateness_minutes)}),
    count_if({there} and {_known(source)})
from lake.processed.{source.contract.name} as kept
left join lake.{table.name} as copy on {joined}
where {_within("kept.arrived_at", first, last)}
group by 1 order by 1
"""  # noqa: S608


def _within(moment: str, first: date, last: date) -> str:
    return f"{moment} >= timestamp '{first} 00:00:00 UTC' and {moment} < timestamp '{last + timedelta(days=1)} 00:00:00 UTC'"


def _joined(parts: object) -> str:
    return " || chr(31) || ".join(parts)  # type: ignore[arg-type]


def _in_time(contract: Contract, minutes: int) -> str:
    return f"kept.arrived_at <= kept.{column(contract, contract.event_time)} + interval '{minutes}' minute"


def _known(table: Processed) -> str:
    """Every reference names an entity that was told of, or nothing."""
    told = [
        f"(kept.{name} is null or kept.{name} in (select {column_of_key} from {table.told(entity)}))"  # noqa: S608
        for name, entity, column_of_key in _references(table.contract)
    ]
    return " and ".join(told) or "true"


def _references(contract: Contract) -> list[tuple[str, str, str]]:
    found = []
    for field in contract.fields:
        if field.references:
            entity, _, key = field.references.partition(".")
            found.append((field.name, entity, key))
    return found


def _within_contract(contract: Contract, relation: str) -> str:
    rules = [rule for field in contract.fields for rule in _rules(field, f"{relation}.{column(contract, field.name)}")]
    return " and ".join(rules) or "true"


def _rules(field: Field, name: str) -> list[str]:
    """Of a typed column: what the gate asks of a record, asked once more of the row."""
    found = [f"{name} is not null"] if field.required else []
    bounds = []
    if field.values:
        values = ", ".join(f"'{value.replace(chr(39), chr(39) * 2)}'" for value in field.values)
        bounds.append(f"{name} in ({values})")
    if field.minimum is not None:
        bounds.append(f"{name} >= {field.minimum}")
    if field.maximum is not None:
        bounds.append(f"{name} <= {field.maximum}")
    return found + [f"({name} is null or {bound})" for bound in bounds]
