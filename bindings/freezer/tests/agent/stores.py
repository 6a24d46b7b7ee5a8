"""Where the agent stores: what its command line says of it, and what is in it, by names with slashes."""

import os
from pathlib import Path

import swiftclient
from keystoneauth1.identity import v3
from keystoneauth1.session import Session


class LocalStore:
    """A directory."""

    def __init__(self, directory):
        self.root = Path(directory)
        self.options = ["--storage", "local", "--container", str(self.root)]

    def names(self):
        return sorted(str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file())

    def get(self, name):
        return (self.root / name).read_bytes()

    def put(self, name, content):
        (self.root / name).write_bytes(content)

    def delete(self, name):
        (self.root / name).unlink()

    def pieces(self, level):
        """The names of what holds the level's data."""
        return [f"{level}/data"]


class SwiftStore:
    """A container of the object store that the OS_* variables lead to."""

    def __init__(self, container):
        self.container = container
        self.options = ["--storage", "swift", "--container", container]
        account = v3.Password(
            auth_url=os.environ["OS_AUTH_URL"],
            username=os.environ["OS_USERNAME"],
            password=os.environ["OS_PASSWORD"],
            project_name=os.environ["OS_PROJECT_NAME"],
            user_domain_name=os.environ["OS_USER_DOMAIN_NAME"],
            project_domain_name=os.environ["OS_PROJECT_DOMAIN_NAME"],
        )
        self.connection = swiftclient.Connection(session=Session(auth=account))
        self.connection.put_container(container)

    def names(self):
        return sorted(found["name"] for found in self.connection.get_container(self.container, full_listing=True)[1])

    def get(self, name):
        return self.connection.get_object(self.container, name)[1]

    def put(self, name, content):
        self.connection.put_object(self.container, name, content)

    def delete(self, name):
        self.connection.delete_object(self.container, name)

    def headers(self, name):
        return self.connection.head_object(self.container, name)

    def pieces(self, level):
        """The names of the segments that hold the level's data."""
        return [name for name in self.names() if name.startswith(f"{level}/segments/")]
