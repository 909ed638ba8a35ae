"""A lake in an object store by settings alone: the same place and keys for both engines, and a wrong key in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.runtime import jobs
from headrace.settings import Settings
from headrace.streams.landing import objects
from headrace.streams.landing.table import catalogue_conf


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "secrets").mkdir()
    for name in ("s3_access_key", "s3_secret_key"):
        (tmp_path / "secrets" / name).write_text(f"my-{name}")
    return Settings(home=tmp_path, warehouse="s3://bucket/lake", s3_url="http://127.0.0.1:9", s3_region="eu-central-1")


def test_a_folder_needs_none_of_it(tmp_path: Path) -> None:
    folder = Settings(home=tmp_path)
    assert objects.store(folder) is None
    objects.check(folder)
    assert jobs.registry(folder)["lake"].jars == ("spark-lake",)


def test_both_engines_are_told_the_same(settings: Settings) -> None:
    found = objects.store(settings)
    assert found
    spark = catalogue_conf(settings.warehouse_uri, "127.0.0.1:5433", "x", found)
    trino = objects.trino_conf(found)
    assert spark["spark.sql.catalog.lake.s3.endpoint"] == trino["s3.endpoint"] == settings.s3_url
    assert spark["spark.sql.catalog.lake.s3.secret-access-key"] == trino["s3.aws-secret-key"] == "my-s3_secret_key"
    assert spark["spark.sql.catalog.lake.client.region"] == trino["s3.region"] == "eu-central-1"
    assert jobs.registry(settings)["lake"].jars == ("spark-lake", "spark-s3")


def test_without_keys_and_endpoint_the_machine_s_own_are_used(settings: Settings, tmp_path: Path) -> None:
    found = objects.store(settings.model_copy(update={"home": tmp_path / "elsewhere", "s3_url": None}))
    assert found
    assert objects.trino_conf(found) == {"fs.native-s3.enabled": "true", "s3.region": "eu-central-1"}
    assert set(objects.catalogue_conf(found)) == {"io-impl", "client.region"}


def test_a_store_that_is_away_is_a_sentence_that_says_what_to_do(settings: Settings) -> None:
    with pytest.raises(
        objects.ObjectStoreUnusable, match=r"127\.0\.0\.1:9 cannot be asked(.|\n)*Next: correct HEADRACE_WAREHOUSE"
    ):
        objects.check(settings)
