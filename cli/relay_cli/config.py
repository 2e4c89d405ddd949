"""Where Relay is, and with which key: from flags, the environment, or a file.

Flags win over `RELAY_URL` and `RELAY_KEY`, and these over a file. One file is read, the first of:

1. the one that `--config` or `RELAY_CONFIG` names,
2. `.relay/stack.json` in this folder or one above, as `make up` leaves it,
3. `~/.config/relay/config.toml`.

Sources are not mixed, so that the key in one is never sent to a host that another names, and no
queue is shown as that of another Relay. One may complete another: a URL in a file, its key in
`RELAY_KEY`.
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
    url: str | None = None
    key: str | None = None
    config: Path | None = None


@dataclass(frozen=True)
class AwsAccess:
    """How the queues are looked at: by the outputs of a stack, or by known ones.

    With an `endpoint` it is an emulated AWS, which takes any credentials.
    """

    stack: str | None = None
    region: str | None = None
    profile: str | None = None
    endpoint: str | None = None
    outputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class File:
    """What one file says. `install_keys_url` is for where Jira's public keys are elsewhere."""

    path: Path
    url: str | None = None
    key: Key | None = None
    aws: AwsAccess | None = None
    install_keys_url: str | None = None

    @property
    def open_to_others(self) -> bool:
        """Whether someone else on this machine can read the key in it."""
        return bool(self.key and os.name == "posix" and self.path.stat().st_mode & stat.S_IRWXO)


@dataclass(frozen=True)
class Config:
    """`url_from` and `key_from` say where each value was found; `file` is the one that was read,
    unless it is of another Relay. There is no key where the one at hand is for another Relay;
    `no_key` says why then."""

    url: str | None
    key: Key | None
    url_from: str
    key_from: str
    file: File | None = None
    no_key: str = ""

    @property
    def aws(self) -> AwsAccess | None:
        return self.file.aws if self.file else None


@dataclass(frozen=True)
class _Source:
    url: str | None
    key: Key | None
    url_from: str
    key_from: str


def load_config(flags: Flags, environment: Mapping[str, str], folder: Path, home: Path) -> Config:
    """Raises Misuse for a file that can't be read, and for a value that can't be right."""
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
    of_url = next((one for one in sources if one.url), nowhere)
    of_key = next((one for one in sources if one.key), nowhere)
    if of_key.key and not of_key.key.is_sendable:
        raise Misuse(f"The key of {of_key.key_from} is no API key.", "config")
    if file and file.url and checked_url(file.url, "") != of_url.url:
        file = None
    if no_key := _mixed(of_url, of_key):
        of_key = nowhere
    return Config(of_url.url, of_key.key, of_url.url_from, of_key.key_from, file, no_key)


def _source(url: str | None, key: str | None, url_from: str, key_from: str) -> _Source:
    return _Source(
        checked_url(url, url_from) if url else None, Key(key) if key else None, url_from, key_from
    )


def _mixed(of_url: _Source, of_key: _Source) -> str:
    """Why the key is not for that URL; empty where nothing says so."""
    if of_key.url and of_url.url != of_key.url:
        return (
            f"The URL is that of {of_url.url_from}, and the key that of {of_key.key_from}, for "
            f"{of_key.url}: it is not sent elsewhere. Give the key beside the URL, too."
        )
    if of_url.url and of_url.key and of_url.key != of_key.key:
        return (
            f"The key is that of {of_key.key_from}, and the URL that of {of_url.url_from}, which "
            "has a key of its own. Give the URL beside the key, too."
        )
    return ""


def is_loopback(url: str) -> bool:
    try:
        return urlsplit(url).hostname in LOOPBACK
    except ValueError:
        return False


def checked_url(url: str, source: str) -> str:
    """The URL without a slash at its end; https, as a key is sent there, or on this machine."""
    url = url.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("https", "http") and parts.hostname and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise Misuse(f"{source} is no URL such as https://relay.example.com", "config")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise Misuse(f"The URL of {source} must have neither user name nor query.", "config")
    if parts.scheme == "http" and not is_loopback(url):
        raise Misuse(f"The URL of {source} must be https: the API key is sent there.", "config")
    return url


def _file(flags: Flags, environment: Mapping[str, str], folder: Path, home: Path) -> File | None:
    named = flags.config or environment.get("RELAY_CONFIG")
    if named:
        return _read(Path(named).expanduser())
    for place in (folder, *folder.parents):
        if _is_ours(place / STACK_FILE):
            return _read(place / STACK_FILE, _checked_stack)
    own = home_file(environment, home)
    return _read(own) if _is_ours(own) else None


def home_file(environment: Mapping[str, str], home: Path) -> Path:
    return Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "relay" / "config.toml"


def _is_ours(path: Path) -> bool:
    """Whether it is there, and not put there by another user, as could be below /tmp."""
    try:
        owner = path.stat().st_uid
    except OSError:
        return False
    return os.name != "posix" or owner in (os.geteuid(), 0)


def _checked_stack(file: File) -> File:
    """A file that was only come across may lead to this machine, and nowhere else."""
    if file.url and not is_loopback(file.url):
        raise Misuse(
            f"{file.path} was found here, and its URL is not on this machine. "
            "If that is what you want, name the file: --config",
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
    """A name that nobody knows is a mistake in writing, and would do nothing without a word."""
    rest = {name: value for name, value in document.items() if name != "aws"}
    values = _texts(path, rest, ("url", "key", "install_keys_url"))
    aws = document.get("aws")
    if aws is not None and not isinstance(aws, Mapping):
        raise Misuse(f"{path}: [aws] is a table.", "config")
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
            raise Misuse(f"{path}: {name!r} is not known; there is {', '.join(names)}.", "config")
        if not isinstance(value, str):
            raise Misuse(f"{path}: {name} is a text.", "config")
    return dict(table)


def _key(value: Any) -> Key | None:
    return Key(value) if isinstance(value, str) and value else None
