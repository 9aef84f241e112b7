"""Base class of the hooks: read a connection, make the client, test it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, Self, TypeVar

from airflow.sdk import BaseHook, Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from hcx_airflow.documents import Arguments
from hcx_airflow.errors import ConnectionSettingsError, name_connection
from hcx_airflow.hooks.extras import Extras, read_extras
from hcx_airflow.hooks.roles import allowed_endpoints, check_identity
from hcx_waves.clients.errors import ClientError
from hcx_waves.clients.identity import AllowedEndpoints, EndpointIdentity
from hcx_waves.clients.peek import peek_identity
from hcx_waves.clients.transport_wire import Ambient

if TYPE_CHECKING:
    from hcx_airflow.hooks.world import TwinWorld


class ManagerClient(Protocol):
    """What the hooks need of a client, whatever the product."""

    def identity(self) -> EndpointIdentity:
        """Return what the endpoint says it is."""

    def close(self) -> None:
        """Let go of it."""


Client = TypeVar("Client", bound=ManagerClient)
Settings = TypeVar("Settings", bound=Extras)


class ManagerHook(BaseHook, Generic[Client, Settings]):
    """A hook for one product.

    :param conn_id: the Airflow connection.
    :param rehearsal: whether only twins may be worked on; otherwise real endpoints, and simulated sites whose
        connection says ``"simulated": true``.
    :param connection: the connection itself, where it has been fetched already (a trigger does that asynchronously).
    :param twin: the world that a rehearsal works in; without one a rehearsal reaches nothing.
    :param site: ``source`` or ``destination``, whose log-in a twin's connection without one takes from its world.
    :param read_only: whether every call that would change something is refused, whoever is there.
    """

    system: ClassVar[str]
    extras_class: ClassVar[type[Extras]]
    conn_type: ClassVar[str]
    hook_name: ClassVar[str]
    default_scheme: ClassVar[str] = "https"

    def __init__(
        self,
        conn_id: str,
        *,
        rehearsal: bool = False,
        connection: Connection | None = None,
        twin: TwinWorld | None = None,
        site: str = "source",
        read_only: bool = False,
    ) -> None:
        super().__init__()
        self.conn_id = conn_id
        self.rehearsal = rehearsal
        self.twin = twin
        self.site = site
        self.read_only = read_only
        self._given = connection

    @cached_property
    def connection(self) -> Connection:
        """The Airflow connection.

        :raises ConnectionSettingsError: if Airflow has none of this id, or it is of another type.
        """
        found = self._given or self._looked_up()
        if found.conn_type != self.conn_type:
            problem = f'has type "{found.conn_type}"; change it to "{self.conn_type}"'
            raise ConnectionSettingsError(self.conn_id, problem)
        return found

    def _looked_up(self) -> Connection:
        try:
            return self.get_connection(self.conn_id)
        except AirflowNotFoundException:
            problem = f'Airflow has none of this id; add it, with type "{self.conn_type}"'
            raise ConnectionSettingsError(self.conn_id, problem) from None

    @cached_property
    def extras(self) -> Settings:
        """What its extra says.

        :raises ConnectionSettingsError: if it cannot be used.
        """
        settings: Any = read_extras(self.extras_class, self.conn_id, self.connection.extra)
        return settings  # type: ignore[no-any-return]

    @property
    def allowed(self) -> AllowedEndpoints:
        """The endpoints that this run may work on."""
        if self.read_only:
            return AllowedEndpoints(frozenset())
        world_id = None if self.twin is None else self.twin.world_id
        return allowed_endpoints(rehearsal=self.rehearsal, simulated=self.extras.simulated, world_id=world_id)

    @property
    def url(self) -> str:
        """The endpoint's address: the host field as it is if it is a URL, else put together from host and port.

        A twin's connection holds its server's address; the run's world is put in front of the path.

        :raises ConnectionSettingsError: if there is no host.
        """
        address = self._address()
        return address if self.twin is None else self.twin.place(address)

    def _address(self) -> str:
        host = (self.connection.host or "").strip().rstrip("/")
        if not host:
            raise ConnectionSettingsError(self.conn_id, "has no host. Set it under Admin, Connections")
        if "://" in host:
            return host
        port = f":{self.connection.port}" if self.connection.port else ""
        return f"{self.default_scheme}://{host}{port}"

    def login(self) -> tuple[str, str]:
        """Return user name and password; a twin's connection without them gets those of its world.

        :raises ConnectionSettingsError: if one is missing.
        """
        user, password = self.connection.login, self.connection.password
        if self.twin is not None and not (user and password):
            user, password = self.twin.login(self.site, self.system)
        for value, field in ((user, "login"), (password, "password")):
            if not value:
                raise ConnectionSettingsError(self.conn_id, f"has no {field}. Set it under Admin, Connections")
        return str(user), str(password)

    def common(self) -> Arguments:
        """Return the arguments that all clients share."""
        shared: Arguments = {
            "tls": self.extras.tls(),
            "settings": self.extras.settings(),
            "allowed_roles": self.allowed,
        }
        if self.ambient is not None:
            shared["ambient"] = self.ambient
        return shared

    @property
    def ambient(self) -> Ambient | None:
        """Clock and randomness of the client: a twin's are its world's; None for the machine's."""
        return None if self.twin is None else self.twin.ambient(self.conn_id)

    @abstractmethod
    def make_client(self) -> Client:
        """Build a new client; nothing is called yet."""

    @abstractmethod
    def greet(self, client: Client) -> str:
        """Log in, read something, and return a sentence for the Test button."""

    def get_conn(self) -> Client:
        """Build a new client.

        :raises ConnectionSettingsError: if the connection cannot be used; names it.
        """
        self._require_world()
        try:
            # The client reads its CA with the first call only, where the error would not name the connection.
            self.extras.tls().ssl_context()
            return self.make_client()
        except ClientError as error:
            raise name_connection(error, self.conn_id) from error.__cause__
        except (ValueError, OSError) as error:
            raise ConnectionSettingsError(self.conn_id, str(error)) from error

    def _require_world(self) -> None:
        if self.rehearsal and self.twin is None:
            raise ConnectionSettingsError(
                self.conn_id, "is used in a rehearsal that has no twin yet. Clear open_twin and its downstream tasks"
            )

    def peek(self, url: str | None = None) -> None:
        """Check the identity of an address before a password is sent there; for rehearsals only.

        :param url: the connection's own unless given.
        :raises EndpointMismatch: if it is not the run's own world, naming the connection.
        """
        if self.twin is None:
            return
        with naming(self.conn_id):
            found = peek_identity(self.system, url or self.url, self.extras.tls(), self.extras.settings(), self.ambient)
        check_identity(found, self.allowed, self.conn_id, self.system)

    @contextmanager
    def client(self) -> Iterator[Client]:
        """Build a client and close it at the end; its errors name the connection.

        :raises EndpointMismatch: in a rehearsal, if the address is not the run's own world.
        """
        with naming(self.conn_id):
            made = self.get_conn()
            self.peek()
            try:
                yield made
            finally:
                made.close()

    def check(self, client: Client) -> None:
        """Refuse an endpoint that this run must not work on.

        :raises EndpointMismatch: naming the connection.
        """
        with naming(self.conn_id):
            identity = client.identity()
        check_identity(identity, self.allowed, self.conn_id, self.system)

    def test_connection(self) -> tuple[bool, str]:
        """Log in and read something, for the Test button of the connection form."""
        try:
            with self.client() as client:
                words = self.describe(client, self.greet(client))
        except (ClientError, ConnectionSettingsError) as error:
            return False, str(error)
        return True, words

    def describe(self, client: Client, words: str) -> str:
        """Add to the text of the Test button the identity of the endpoint, and whether live waves use it."""
        identity = client.identity()
        words = f"{words} ({identity})"
        if identity.role == "twin":
            return f"{words}; live waves never use it"
        if identity.simulated and not self.extras.simulated:
            return f'{words}; live waves refuse it unless its extra has "simulated": true'
        return words

    @classmethod
    def of(cls, conn_id: str, **chosen: Any) -> Self:
        """Make a hook by connection id, whatever the hook calls that argument."""
        return cls(conn_id, **chosen)


@contextmanager
def naming(conn_id: str) -> Iterator[None]:
    """Put a connection's id into client errors that pass."""
    try:
        yield
    except ClientError as error:
        name_connection(error, conn_id)
        raise
