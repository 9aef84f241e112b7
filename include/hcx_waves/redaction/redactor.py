"""Replaces names, addresses, ids, serial numbers and users consistently, and blanks secrets.

Two kinds of contents need two ways. What a product has answered is a stranger's: of its texts only those stay that the
contract knows as the vendor's own words. Our own documents and logs are sentences: in them what was learnt as a name,
and what looks like an address or an id, is replaced.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from hcx_waves.redaction.names import expression_of
from hcx_waves.redaction.pseudonyms import Pseudonyms
from hcx_waves.redaction.secrets import BLANK, is_secret_member, longest_first, without_tokens

_UUID = r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"
_MAC = r"(?<![\w:-])[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}(?![\w:-])"
_IPV4 = r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w]|\.\d)"
_IPV6 = (
    r"(?<![\w:.])(?:[0-9A-Fa-f]{1,4}:){2,7}(?::?[0-9A-Fa-f]{1,4}){0,6}(?![\w:])"
    r"|(?<![\w:.])(?:[0-9A-Fa-f]{1,4}:){1,7}:(?![\w:])"
)
_MOREF = (
    r"\b(?:(?:vm|host|dvportgroup|resgroup|datastore|datacenter|network|dvs|task|session|snapshot)-|domain-[cs]"
    r"|group-[a-z]|resgroup-v|network-o)\d+\b"
)
_ACCOUNT = r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}"
_WINDOWS_ACCOUNT = r"\b[A-Z][A-Z0-9-]{1,15}\\{1,2}[A-Za-z0-9._-]{1,64}"
_SERIAL = r"(?:VMware-)?(?<![\w])(?:[0-9a-f]{2}[ -]){3,15}[0-9a-f]{2}(?![\w])"
_HOST = (
    r"(?<![\w.@/-])(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})\.){1,8}"
    r"(?:com|net|org|local|lan|corp|internal|intranet|intern|home|example|test|invalid|io|cloud|int|gov|edu|mil|biz|info"
    r"|at|au|be|br|ca|ch|cn|cz|de|dk|es|eu|fi|fr|ie|in|it|jp|kr|nl|no|nz|pl|pt|ro|ru|se|sg|tr|uk|us|za)(?![\w-]|\.\w)"
)
_URL = r"https?://[^\s\"'<>(){}\\^`|,;]*[^\s\"'<>(){}\\^`|,;:.]"
_PATH = (
    r"(?<![\w.~:/-])/(?:infra|hybridity|policy|api|vmc|csp|sdk|home|Users)/[^\s\"'<>(){},;?&=]*[^\s\"'<>(){},;?&=:.]"
)
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d.*)?")
_VERSION = re.compile(r"v?\d+(?:[._-]\w+){0,6}")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_NAMING = re.compile(r"(?i)name$|^label$|user|host$|description|annotation|notes?$|owner|_by$|^by$")
_VERSIONING = re.compile(r"(?i)version|build|release")
_SHORTEST_NAME = 2


@dataclass(frozen=True)
class Vocabulary:
    """What is the vendors' own and may stay.

    :param words: texts.
    :param members: names of members.
    :param path_steps: steps of paths.
    """

    words: Collection[str] = ()
    members: Collection[str] = ()
    path_steps: Collection[str] = ()


@dataclass
class Redactor:
    """Redacts everything that belongs together, so that a name has one stand-in in all of it.

    :param secrets: texts that must not appear; they are blanked wherever they are.
    :param vocabulary: what is the vendors' own.
    """

    secrets: Iterable[str] = ()
    vocabulary: Vocabulary = field(default_factory=Vocabulary)

    def __post_init__(self) -> None:
        self._secrets = longest_first(self.secrets)
        self._pseudonyms = Pseudonyms()
        self._names: dict[str, None] = {}
        self._pattern: re.Pattern[str] | None = None

    def learn(self, document: Any, *keys: str) -> None:
        """Remember the names in a document of our own, so that texts are searched for them.

        :param keys: the members that hold names of sites, waves and people; their values are texts or lists of texts.
        """
        for name in _values_of(document, frozenset(keys)):
            if len(name) >= _SHORTEST_NAME and name not in self.vocabulary.words:
                self._learn(name)

    def learn_hosts(self, text: str) -> None:
        """Remember the hosts of all addresses in a text, to know them where they stand alone."""
        for url in re.findall(_URL, text):
            host = _host_of(url)
            if host and not re.fullmatch(f"{_IPV4}|localhost", host):
                self._pseudonyms.host(host)
                self._learn(host)
                short = host.partition(".")[0]
                if len(short) > _SHORTEST_NAME:
                    self._learn(short)

    def text(self, text: str) -> str:
        """Redact a text of our own: a sentence, a line of a log."""
        for secret in self._secrets:
            text = text.replace(secret, BLANK)
        return self._matcher.sub(self._replaced, without_tokens(text))

    def document(self, value: Any) -> Any:
        """Redact a document of our own; members that hold secrets are blanked whatever their value is."""
        if isinstance(value, Mapping):
            return {self.text(str(key)): self._own_member(str(key), item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.document(item) for item in value]
        return self.text(value) if isinstance(value, str) else value

    def answer(self, value: Any, key: str = "") -> Any:
        """Redact what a product has answered: of its texts, only the vendor's own words stay.

        :param key: the member that holds the value.
        """
        if isinstance(value, Mapping):
            return {self._member(str(name)): self.answer(item, str(name)) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.answer(item, key) for item in value]
        if isinstance(value, bool) or value is None:
            return value
        if is_secret_member(key):
            return BLANK if isinstance(value, str) else 0
        return self._foreign(value, key) if isinstance(value, str) else value

    def path(self, path: str) -> str:
        """Redact a path: steps that are the vendor's stay."""
        return "/".join(self._step(step) for step in path.split("/"))

    def _own_member(self, key: str, value: Any) -> Any:
        is_value = isinstance(value, str | int | float) and not isinstance(value, bool)
        return BLANK if is_value and is_secret_member(key) else self.document(value)

    def _member(self, name: str) -> str:
        """Return the name of a member; an unknown one stays if it looks like one and is no value."""
        if name in self.vocabulary.members:
            return name
        is_identifier = re.fullmatch(r"[A-Za-z_][A-Za-z_]{0,63}", name) is not None
        return name if is_identifier and self._pseudonyms.known(name) is None else self._foreign(name, "name")

    def _foreign(self, text: str, key: str) -> str:
        if not text.strip() or text in ("true", "false"):
            return text
        if any(secret in text for secret in self._secrets) or without_tokens(text) != text:
            return BLANK
        is_version = _VERSIONING.search(key) is not None
        if text in self.vocabulary.words or (is_version and _VERSION.fullmatch(text)):
            return text
        by_form = self._by_form(text)
        if by_form is not None:
            return by_form
        is_name = _NAMING.search(key) is not None and not is_version
        if _ISO.fullmatch(text) and not is_name:
            return text
        if _NUMBER.fullmatch(text) and not is_name and not key.lower().endswith("id"):
            return text
        kind = "name" if is_name else "id" if key.lower().endswith(("id", "uuid", "key", "ref")) else "text"
        return self._pseudonyms.of(text, "serial" if "serial" in key.lower() else kind)

    def _by_form(self, text: str) -> str | None:
        """Return the stand-in of a text that is an address or an id as a whole; None for others."""
        if text.startswith("/"):
            return self.path(text)
        address, slash, prefix = text.partition("/")
        if slash and prefix.isdigit() and re.fullmatch(f"{_IPV4}|{_IPV6}", address):
            return f"{self._pseudonyms.address(address)}/{prefix}"
        if re.fullmatch(_FORMS, text):
            return self._matcher.sub(self._replaced, text)
        return None

    def _step(self, step: str) -> str:
        if not step or step in self.vocabulary.path_steps:
            return step
        return self._by_form(step) or self._pseudonyms.of(step, "id")

    def _learn(self, name: str) -> None:
        if name not in self._names:
            self._names[name] = None
            self._pattern = None

    @property
    def _matcher(self) -> re.Pattern[str]:
        """Everything that is replaced, in one expression: what was replaced is not looked at again."""
        if self._pattern is None:
            groups = {"name": expression_of(self._names), **_KINDS}
            self._pattern = re.compile("|".join(f"(?P<{kind}>{form})" for kind, form in groups.items()))
        return self._pattern

    def _replaced(self, match: re.Match[str]) -> str:
        text, kind, own = match[0], str(match.lastgroup), self._pseudonyms
        if kind == "url":
            return self._url(text)
        if kind == "path":
            return self.path(text)
        if kind == "endpoint":
            return f"{'0' * 17}-{own.uuid(text[18:])}"
        by_kind = {
            "uuid": own.uuid, "mac": own.mac, "ipv4": own.address, "ipv6": own.address, "moref": own.moref,
            "account": own.account, "host": own.host,
        }  # fmt: skip
        return by_kind[kind](text) if kind in by_kind else own.of(text, kind)

    def _url(self, url: str) -> str:
        parts = urlsplit(url)
        host = _host_of(url)
        if not host:
            return BLANK
        place = self._pseudonyms.address(host) if re.fullmatch(_IPV4, host) else self._pseudonyms.host(host)
        port = f":{parts.netloc.rpartition(':')[2]}" if re.search(r":\d+$", parts.netloc) else ""
        query = f"?{self.text(parts.query)}" if parts.query else ""
        return f"{parts.scheme}://{place}{port}{self.path(parts.path)}{query}"


_KINDS = {
    "url": _URL,
    "path": _PATH,
    "account": _ACCOUNT,
    "user": _WINDOWS_ACCOUNT,
    "endpoint": rf"\b\d{{17}}-{_UUID}",
    "uuid": _UUID,
    "mac": _MAC,
    "serial": _SERIAL,
    "ipv4": _IPV4,
    "ipv6": _IPV6,
    "moref": _MOREF,
    "host": _HOST,
}
_FORMS = "|".join(["(?:servicemesh-|computeprofile-|network-)" + _UUID, *_KINDS.values()])


def _host_of(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _values_of(document: Any, keys: frozenset[str], key: str = "") -> Iterator[str]:
    """Yield the texts below members of these names."""
    if isinstance(document, Mapping):
        for name, item in document.items():
            yield from _values_of(item, keys, str(name))
    elif isinstance(document, list | tuple):
        for item in document:
            yield from _values_of(item, keys, key)
    elif isinstance(document, str) and key in keys:
        yield document
