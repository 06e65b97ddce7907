"""TFX's handle of ML Metadata, which waits for a server that is away for a while."""

from __future__ import annotations

from tfx.orchestration import metadata

from pipelines.metadata.opening import PATIENCE, open_store
from pipelines.metadata.place import Connection


class Metadata(metadata.Metadata):
    """Opens a connection for every question, as TFX's does; `with Metadata(...) as handle`.

    Args:
        connection: Where the metadata is.
        patience: Seconds to wait for a server.
    """

    def __init__(self, connection: Connection, patience: float = PATIENCE) -> None:
        super().__init__(connection)
        self._connection, self._patience = connection, patience

    def __enter__(self) -> Metadata:
        """Opens it.

        Raises:
            TryAgain: The server was away for all the time.
            UserError: It refuses the user or the database.
        """
        if self._users == 0:
            self._store = open_store(self._connection, self._patience)
        self._users += 1
        return self
