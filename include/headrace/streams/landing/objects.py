"""An object store for the lake instead of a folder: where it is, with which keys, in the words of Spark's side.

Settings alone choose it: `warehouse=s3://bucket/lake`, and `s3_url` where it is not Amazon's. The keys are the secrets
`s3_access_key` and `s3_secret_key`; without them each engine looks for the credentials of its machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlparse

from headrace.settings import MissingSecret, Settings

_FAILED = {
    "403": "refuses the key",
    "404": "has no bucket of that name",
    "301": "keeps the bucket in another region",
}


class ObjectStoreUnusable(RuntimeError):
    """The lake's bucket cannot be used; the message says what to change."""


@dataclass(frozen=True)
class ObjectStore:
    bucket: str
    region: str
    url: str | None = None
    access_key: str | None = None
    secret_key: str | None = None


def store(settings: Settings) -> ObjectStore | None:
    """None where the lake is a folder."""
    place = urlparse(settings.warehouse_uri)
    if place.scheme != "s3":
        return None
    keys = {name: _known(settings, f"s3_{name}") for name in ("access_key", "secret_key")}
    return ObjectStore(place.netloc, settings.s3_region, settings.s3_url, **keys)


def _known(settings: Settings, secret: str) -> str | None:
    try:
        return settings.secret(secret)
    except MissingSecret:
        return None


def catalogue_conf(found: ObjectStore) -> dict[str, str]:
    """What Iceberg in Spark is told, below its catalogue's own prefix."""
    told = {
        "io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        "client.region": found.region,
        "s3.endpoint": found.url,
        "s3.path-style-access": "true" if found.url else None,
        "s3.access-key-id": found.access_key,
        "s3.secret-access-key": found.secret_key,
    }
    return {key: value for key, value in told.items() if value}


def trino_conf(found: ObjectStore) -> dict[str, str]:
    told = {
        "fs.native-s3.enabled": "true",
        "s3.region": found.region,
        "s3.endpoint": found.url,
        "s3.path-style-access": "true" if found.url else None,
        "s3.aws-access-key": found.access_key,
        "s3.aws-secret-key": found.secret_key,
    }
    return {key: value for key, value in told.items() if value}


def check(settings: Settings) -> None:
    """Asks for the bucket once, so that a wrong key is said in a sentence and not found in a stack trace."""
    found = store(settings)
    if found is None:
        return
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    config = Config(connect_timeout=5, read_timeout=10, retries={"max_attempts": 2})
    client = boto3.client(
        "s3",
        endpoint_url=found.url,
        region_name=found.region,
        aws_access_key_id=found.access_key,
        aws_secret_access_key=found.secret_key,
        config=config,
    )
    try:
        client.head_bucket(Bucket=found.bucket)
    except ClientError as error:
        code = str(error.response["ResponseMetadata"]["HTTPStatusCode"])
        raise ObjectStoreUnusable(_sentence(found, _FAILED.get(code, f"answers {code}"))) from error
    except BotoCoreError as error:
        raise ObjectStoreUnusable(_sentence(found, f"cannot be asked: {error}")) from error


def _sentence(found: ObjectStore, what: str) -> str:
    key = f"key {found.access_key[:4]}… (secret s3_access_key)" if found.access_key else "credentials of this machine"
    return (
        f"The object store {found.url or 'of Amazon in ' + found.region} {what}: bucket {found.bucket}, {key}.\n"
        "Next: correct HEADRACE_WAREHOUSE, HEADRACE_S3_URL, HEADRACE_S3_REGION or the secrets s3_access_key and s3_secret_key."
    )
