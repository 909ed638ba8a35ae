"""The options of `python -m headrace.sources.simulate`, each with the help that teaches what it is for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from headrace.log import configure
from headrace.settings import get_settings
from headrace.sources import simulate

app = typer.Typer(add_completion=False, help=simulate.__doc__)


def shares(text: str | None) -> dict[str, int] | None:
    """`a=3,b=1` as {a: 3, b: 1}."""
    if not text:
        return None
    try:
        pairs = (item.split("=") for item in text.split(","))
        return {name.strip(): int(share) for name, share in pairs}
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not like purchase=80,refund=20") from None


@app.command()
def main(
    *,
    rate: Annotated[float, typer.Option(help="New events a second, over all streams.")] = 5.0,
    seconds: Annotated[float | None, typer.Option(help="Stop after so long; without it, on Ctrl-C.")] = None,
    shape: Annotated[
        Literal["steady", "bursts", "daily"],
        typer.Option(
            help="steady: the rate; bursts: ten times the rate for 5 s of every minute; daily: by the hours of the day."
        ),
    ] = "steady",
    burst_factor: Annotated[float, typer.Option(help="How many times the rate a burst has.")] = 10.0,
    streams: Annotated[
        str | None, typer.Option(help="Shares of streams: transactions=60,app_events=25,orders=15.")
    ] = None,
    mix: Annotated[
        str | None, typer.Option(help="Shares of transaction types: purchase=84,refund=6,fee=7,payout=3.")
    ] = None,
    bad_share: Annotated[
        float, typer.Option(help="Share (0 to 1) that breaks the contract, straight to Kafka: dead letters.")
    ] = 0.0,
    late_share: Annotated[float, typer.Option(help="Share that arrives later than the live figures wait for.")] = 0.0,
    duplicate_share: Annotated[float, typer.Option(help="Share that is sent twice with the same id.")] = 0.0,
    entities: Annotated[
        Literal["once", "always", "never"],
        typer.Option(
            help="Send customers, merchants, products, accounts and rates first: once per state folder, always or never."
        ),
    ] = "once",
    seed: Annotated[
        int | None, typer.Option(help="Draw the same amounts and choices again; ids and times are new.")
    ] = None,
    ledger: Annotated[Path | None, typer.Option(help="Write one line per acknowledged event into this file.")] = None,
) -> None:
    """Send sample traffic through the REST service; it tries again while the service is away, so nothing is lost."""
    configure("simulate")
    options: dict[str, Any] = {
        "rate": rate, "seconds": seconds, "shape": shape, "burst_factor": burst_factor, "streams": shares(streams),
        "mix": shares(mix), "bad_share": bad_share, "late_share": late_share, "duplicate_share": duplicate_share,
        "entities": entities, "seed": seed, "ledger": ledger,
    }  # fmt: skip
    try:
        report = simulate.run(get_settings(), **options)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    typer.echo(json.dumps(report))
