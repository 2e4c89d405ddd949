"""Relay's URL and API key, from flags, the environment, or a file.

Flags win over `RELAY_URL` and `RELAY_KEY`, which win over a file. One file is read, the first of:

1. the file that `--config` or `RELAY_CONFIG` names,
2. `.relay/stack.json` in this folder or a parent, which `make up` writes,
3. `~/.config/relay/config.toml`.

The URL and key of two complete sources are not mixed: a key is never sent to another source's host,
and no queue of another Relay is shown. An incomplete source can be completed: a URL in a file, its
key in `RELAY_KEY`.
"""

import json
import os
import stat
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from relay_cli.failure import Misuse
from relay_cli.key import Key

STACK_FILE = Path(".relay", "stack.json")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Flags:
    """The values of `--url`, `--key` and `--config`."""

    url: str | None = None
    key: str | None = None
    config: Path | None = None


@dataclass(frozen=True)
class AwsAccess:
    """Access to Relay's queues, by a stack's name or by known outputs (name to value).

    `endpoint` is the URL of an emulated AWS, which accepts any credentials.
    """

    stack: str | None = None
    region: str | None = None
    profile: str | None = None
    endpoint: str | None = None
    outputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class File:
    """The values of one file. `install_keys_url` replaces the URL of Atlassian's public keys."""

    path: Path
    url: str | None = None
    key: Key | None = None
    aws: AwsAccess | None = None
    install_keys_url: str | None = None

    @property
    def open_to_others(self) -> bool:
        """Whether other users of this machine can read the key in the file."""
        return bool(self.key and os.name == "posix" and self.path.stat().st_mode & stat.S_IRWXO)


@dataclass(frozen=True)
class Config:
    """`url_from` and `key_from` name the source of each value, such as `--url` or a path.

    `file` is the file that was read; None if it belongs to another Relay. `key` is None without a
    key, and if the only key belongs to another Relay: `no_key` then gives the reason.
    """

    url: str | None
    key: Key | None
    url_from: str
    key_from: str
    file: File | None = None
    no_key: str = ""

    @property
    def aws(self) -> AwsAccess | None:
        """The file's access to AWS, if any."""
        return self.file.aws if self.file else None


@dataclass(frozen=True)
class _Source:
    url: str | None
    key: Key | None
    url_from: str
    key_from: str


def load_config(flags: Flags, environment: Mapping[str, str], folder: Path, home: Path) -> Config:
    """The configuration of one run; `folder` is the current one. Raises Misuse for a file that
    can't be read and for a value that is not valid."""
    file = _file(flags, environment, folder, home)
    sources = [
        _source(flags.url, flags.key, "--url", "--key"),
        _source(
            environment.get("RELAY_URL"), environment.get("RELAY_KEY"), "RELAY_URL", "RELAY_KEY"
        ),
    ]
    if file:
        url = checked_url(file.url, str(file.path)) if file.url else None
        sources.append(_Source(url, file.key, str(file.path), str(file.path)))
    nowhere = _Source(None, None, "", "")
    url_source = next((one for one in sources if one.url), nowhere)
    key_source = next((one for one in sources if one.key), nowhere)
    if key_source.key and not key_source.key.is_sendable:
        raise Misuse(f"The key from {key_source.key_from} is not an API key.", "config")
    if file and file.url and checked_url(file.url, "") != url_source.url:
        file = None
    if no_key := _mixed(url_source, key_source):
        key_source = nowhere
    return Config(
        url_source.url, key_source.key, url_source.url_from, key_source.key_from, file, no_key
    )


def _source(url: str | None, key: str | None, url_from: str, key_from: str) -> _Source:
    return _Source(
        checked_url(url, url_from) if url else None, Key(key) if key else None, url_from, key_from
    )


def _mixed(url_source: _Source, key_source: _Source) -> str:
    """The reason why the key does not belong to the URL; empty if it may."""
    if key_source.url and url_source.url != key_source.url:
        return (
            f"The URL comes from {url_source.url_from}, but the key from {key_source.key_from} "
            f"belongs to {key_source.url} and is not sent elsewhere. Set the key where the URL is "
            "set."
        )
    if url_source.url and url_source.key and url_source.key != key_source.key:
        return (
            f"The key comes from {key_source.key_from}, but the URL from {url_source.url_from}, "
            "which has its own key. Set the URL where the key is set."
        )
    return ""


def is_loopback(url: str) -> bool:
    """Whether the URL's host is this machine; False for an invalid URL."""
    try:
        return urlsplit(url).hostname in LOOPBACK
    except ValueError:
        return False


def checked_url(url: str, source: str) -> str:
    """The URL without a trailing slash. `source` names it in errors.

    Raises Misuse unless it is https, because a key is sent there, or on this machine.
    """
    url = url.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("https", "http") and parts.hostname and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise Misuse(f"{source} must be a URL such as https://relay.example.com", "config")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise Misuse(f"The URL from {source} must have neither user name nor query.", "config")
    if parts.scheme == "http" and not is_loopback(url):
        raise Misuse(f"The URL from {source} must be https: the API key is sent there.", "config")
    return url


def _file(flags: Flags, environment: Mapping[str, str], folder: Path, home: Path) -> File | None:
    named = flags.config or environment.get("RELAY_CONFIG")
    if named:
        return _read(Path(named).expanduser())
    for place in (folder, *folder.parents):
        if _is_own(place / STACK_FILE):
            return _read(place / STACK_FILE, _checked_stack)
    own = home_file(environment, home)
    return _read(own) if _is_own(own) else None


def home_file(environment: Mapping[str, str], home: Path) -> Path:
    """The user's own configuration file, by `XDG_CONFIG_HOME` or below `home`."""
    return Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "relay" / "config.toml"


def _is_own(path: Path) -> bool:
    """Whether the file exists and this user or root owns it. Others could place one below /tmp."""
    try:
        owner = path.stat().st_uid
    except OSError:
        return False
    return os.name != "posix" or owner in (os.geteuid(), 0)


def _checked_stack(file: File) -> File:
    """Refuses a stack file that was found, not named, and whose URL is on another machine."""
    if file.url and not is_loopback(file.url):
        raise Misuse(
            f"{file.path} was found, but its URL is not on this machine. "
            "To use it anyway, pass it as --config.",
            "config",
        )
    return file


def _read(path: Path, check: Callable[[File], File] = lambda file: file) -> File:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise Misuse(f"{path} can't be read: {reason}.", "config") from None
    try:
        if text.lstrip().startswith("{"):
            return check(_of_stack(path, json.loads(text)))
        return check(_of_toml(path, tomllib.loads(text)))
    except json.JSONDecodeError as error:
        raise Misuse(f"{path} is not JSON: {error.msg}, line {error.lineno}.", "config") from None
    except tomllib.TOMLDecodeError as error:
        raise Misuse(f"{path} is not TOML: {error}.", "config") from None


def _of_stack(path: Path, document: Mapping[str, Any]) -> File:
    aws = document.get("aws")
    access = None
    if isinstance(aws, Mapping):
        outputs = document.get("outputs") or {}
        access = AwsAccess(region=aws.get("region"), endpoint=aws.get("endpoint"), outputs=outputs)
    jira = document.get("jira")
    names = ("api", "apiKey")
    known = {name: document[name] for name in names if document.get(name) is not None}
    texts = _texts(path, known, names)
    return File(
        path,
        url=texts.get("api"),
        key=_key(texts.get("apiKey")),
        aws=access,
        install_keys_url=f"{jira}/install-keys" if jira else None,
    )


def _of_toml(path: Path, document: Mapping[str, Any]) -> File:
    """Raises Misuse for an unknown name: it is a typo, which would be ignored silently."""
    rest = {name: value for name, value in document.items() if name != "aws"}
    values = _texts(path, rest, ("url", "key", "install_keys_url"))
    aws = document.get("aws")
    if aws is not None and not isinstance(aws, Mapping):
        raise Misuse(f"{path}: [aws] must be a table.", "config")
    access = None
    if aws is not None:
        named = _texts(path, aws, ("stack", "region", "profile", "endpoint"))
        access = AwsAccess(
            named.get("stack"), named.get("region"), named.get("profile"), named.get("endpoint")
        )
    return File(
        path,
        url=values.get("url"),
        key=_key(values.get("key")),
        aws=access,
        install_keys_url=values.get("install_keys_url"),
    )


def _texts(path: Path, table: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, str]:
    for name, value in table.items():
        if name not in names:
            raise Misuse(
                f"{path}: {name!r} is unknown. The names are {', '.join(names)}.", "config"
            )
        if not isinstance(value, str):
            raise Misuse(f"{path}: {name} must be a string.", "config")
    return dict(table)


def _key(value: Any) -> Key | None:
    return Key(value) if isinstance(value, str) and value else None
