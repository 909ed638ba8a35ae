"""`./headrace lineage`: where a figure comes from, and what depends on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from headrace.cli.output import Json, console, fail, page, print_json
from headrace.settings import get_settings

if TYPE_CHECKING:
    from headrace.lineage import graph as graphs

_COLOURS = {"topic": "cyan", "table": "green", "key": "magenta", "metric": "yellow", "report": "bold", "other": "dim"}
_STATES = {"COMPLETE": "green", "FAIL": "red", "ABORT": "red"}


def lineage(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A topic, table, live key, metric or report: sales, fct_transactions; none: what there is."
        ),
    ] = None,
    collect: Annotated[
        bool, typer.Option("--collect", help="Tell anew what contracts, dbt and metrics say, then show it.")
    ] = False,
    runs: Annotated[
        bool,
        typer.Option("--runs", help="What ran last, rather than what comes from what: Airflow, dbt, streaming jobs."),
    ] = False,
    json_: Json = False,
) -> None:
    """Show what something is made of, up to the topics, and what is made of it, down to the reports.

    Told by Airflow, dbt and the streaming jobs as OpenLineage events; drawn in the app on page Lineage.
    """
    from headrace.lineage import collect as collecting
    from headrace.lineage import store

    settings = get_settings()
    if collect:
        collecting.run_all(settings)
    if runs:
        _runs(store.runs(settings), json_)
        return
    graph = store.graph(settings)
    if not graph.edges:
        fail("Nothing was told yet. Next: ./headrace lineage --collect")
    if name is None:
        _list(graph, json_)
        return
    found = graph.find(name)
    trees = [(node, graph.tree(node, "up"), graph.tree(node, "down")) for node in found]
    if json_:
        shown = [
            {"name": n.name, "kind": n.kind, "up": up.document(), "down": down.document()} for n, up, down in trees
        ]
        print_json({"lineage": shown})
        return
    for node, up, down in trees:
        for title, tree in (("is made of", up), ("is used by", down)):
            drawn = Tree(f"[{_COLOURS[node.kind]}]{escape(node.name)}[/] [dim]{node.kind}, {title}[/]")
            _grow(drawn, tree)
            page.print(drawn if tree.branches else f"{escape(node.name)} [dim]{title} nothing that was told of[/]")
    console.print(
        "Next: ./headrace quality   ·   dbt's own docs: ./headrace status shows their address", soft_wrap=True
    )


def _grow(drawn: Tree, tree: graphs.Tree) -> None:
    for branch in tree.branches:
        more = " [dim](see above)[/]" if branch.again and branch.node.kind != "report" else ""
        line = f"[{_COLOURS[branch.node.kind]}]{escape(branch.node.name)}[/] [dim]{branch.node.kind}[/]{more}"
        _grow(drawn.add(line), branch)


def _runs(found: list[dict[str, Any]], json_: bool) -> None:
    if json_:
        print_json({"runs": [run | {"at": run["at"].isoformat()} for run in found]})
        return
    if not found:
        fail("No run was told yet. Airflow tells each as it happens. Next: ./headrace status")
    table = Table("at, UTC", "state", "of", "job", box=None, padding=(0, 2))
    for run in found:
        colour = _STATES.get(run["state"], "dim")
        at, space, job = f"{run['at']:%m-%d %H:%M:%S}", escape(run["namespace"]), escape(run["job"])
        table.add_row(at, f"[{colour}]{escape(run['state'] or '')}[/]", space, job)
    page.print(table)
    console.print("Next: ./headrace lineage NAME   ·   Airflow's page has the log of each task", soft_wrap=True)


def _list(graph: graphs.Graph, json_: bool) -> None:
    if json_:
        print_json({"nodes": [{"name": node.name, "kind": node.kind} for node in graph.nodes]})
        return
    table = Table(box=None, padding=(0, 2))
    table.add_column("kind")
    table.add_column("names", overflow="fold")
    for kind, colour in _COLOURS.items():
        names = [node.name for node in graph.nodes if node.kind == kind]
        if names:
            table.add_row(f"[{colour}]{kind}[/]", ", ".join(names))
    page.print(table)
    console.print("Next: ./headrace lineage NAME   ·   ./headrace lineage --runs", soft_wrap=True)


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Use")(lineage)
