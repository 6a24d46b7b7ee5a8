#!/usr/bin/env python3
"""Runs a command beside a real Keystone and a real Swift: services.py COMMAND [ARGUMENT...]

Both are OpenStack's own, from PyPI (keystone, keystonemiddleware and swift have to be importable), with SQLite
back ends, listening on 127.0.0.1 at free ports, and everything that they keep is in a temporary directory. The
command finds them by the usual OS_* variables. When it ends they are stopped and the directory is removed; the
exit status is the command's.

    SERVICES_DIR=PATH  where the temporary directory is made; its file system needs user extended attributes
    SERVICES_LOGS=1    show the ends of the services' logs when the command fails
"""

import contextlib
import getpass
import http.client
import os
import pathlib
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from keystoneauth1.identity import v3
from keystoneauth1.session import Session
from swift.common.ring import RingBuilder

HOST = "127.0.0.1"
REGION = "RegionOne"
BIN = pathlib.Path(sys.executable).parent
# How long a service may take until it answers, and to stop when it is told to.
START_SECONDS, STOP_SECONDS = 120, 10

KEYSTONE = """\
[DEFAULT]
use_stderr = true
[database]
connection = sqlite:///{directory}/keystone.db
[identity]
password_hash_rounds = 4
[fernet_tokens]
key_repository = {directory}/fernet
[fernet_receipts]
key_repository = {directory}/fernet
[credential]
key_repository = {directory}/credential
"""
# What serves Keystone's application: the server that comes with Flask, which Keystone is made with.
SERVE = """\
from werkzeug.serving import run_simple
from keystone.wsgi.api import application
run_simple({host!r}, {port}, application, threaded=True)
"""
SWIFT = """\
[swift-hash]
swift_hash_path_suffix = {suffix}
"""
SERVER = """\
[DEFAULT]
bind_ip = {host}
bind_port = {port}
workers = 0
user = {user}
swift_dir = {directory}
devices = {directory}/devices
mount_check = false
fallocate_reserve = 0
log_level = WARNING
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""
PROXY = """\
[DEFAULT]
bind_ip = {host}
bind_port = {port}
workers = 0
user = {user}
swift_dir = {directory}
log_level = WARNING
[pipeline:main]
pipeline = catch_errors healthcheck authtoken keystoneauth dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:dlo]
use = egg:swift#dlo
# As many segments a second as come, small as those of the tests are.
rate_limit_segments_per_sec = 0
[filter:keystoneauth]
use = egg:swift#keystoneauth
operator_roles = admin
[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
www_authenticate_uri = {keystone}
auth_url = {keystone}
auth_type = password
project_domain_id = default
user_domain_id = default
project_name = admin
username = admin
password = {password}
interface = public
delay_auth_decision = true
"""


def free_port():
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return listener.getsockname()[1]


class Processes:
    """Commands that run until they are stopped, and end with this process however it ends."""

    def __init__(self, directory):
        self.directory = directory
        self.started = []
        self.stopping = contextlib.ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopping.close()

    def start(self, name, command, url):
        """Starts a command, which is to answer there."""
        log = self.directory / f"{name}.log"
        with open(log, "wb") as said:
            process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], stdin=subprocess.DEVNULL,
                                       stdout=said, stderr=subprocess.STDOUT, start_new_session=True)
        self.stopping.callback(stop, process)
        self.started.append((name, process, url, log))

    def wait(self):
        """Waits until everything that was started answers."""
        begin = time.monotonic()
        for name, process, url, log in self.started:
            while not answers(url):
                if process.poll() is not None or time.monotonic() > begin + START_SECONDS:
                    sys.exit(f"services: {name} does not answer at {url}:\n{log.read_text(errors='replace')[-4000:]}")
                time.sleep(0.05)


def stop(process):
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def answers(url):
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except (OSError, http.client.HTTPException):
        return False
    return True


def run(*commands):
    """Runs commands beside each other until all of them are done."""
    running = [(command, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
               for command in commands]
    for command, process in running:
        said, _ = process.communicate()
        if process.returncode != 0:
            sys.exit(f"services: {' '.join(map(str, command))} failed:\n{said[-4000:]}")


def start_keystone(processes, directory, password):
    """Makes an identity service with one user, admin in the project admin, and gives its URL."""
    directory.mkdir()
    for keys in ("fernet", "credential"):
        (directory / keys).mkdir(mode=0o700)
    configuration = directory / "keystone.conf"
    configuration.write_text(KEYSTONE.format(directory=directory))
    manage = (BIN / "keystone-manage", "--config-file", configuration)
    user = getpass.getuser()
    port = free_port()
    url = f"http://{HOST}:{port}/v3"
    run((*manage, "db_sync"), (*manage, "fernet_setup", "--keystone-user", user, "--keystone-group", user))
    run((*manage, "bootstrap", "--bootstrap-password", password, "--bootstrap-region-id", REGION,
         "--bootstrap-public-url", url))
    serve = SERVE.format(host=HOST, port=port)
    processes.start("keystone", ["env", f"OS_KEYSTONE_CONFIG_FILES={configuration}", sys.executable, "-c", serve], url)
    return url


def start_swift(processes, directory, keystone, password):
    """Makes an object store of one device, which asks that Keystone who may do what, and gives its URL."""
    (directory / "devices/disk").mkdir(parents=True)
    (directory / "swift.conf").write_text(SWIFT.format(suffix=secrets.token_hex(8)))
    common = {"host": HOST, "user": getpass.getuser(), "directory": directory}
    for kind in ("account", "container", "object"):
        port = free_port()
        # 16 partitions of one replica each.
        ring = RingBuilder(part_power=4, replicas=1, min_part_hours=0)
        ring.add_dev({"region": 1, "zone": 1, "ip": HOST, "port": port, "device": "disk", "weight": 1})
        ring.rebalance()
        ring.get_ring().save(str(directory / f"{kind}.ring.gz"))
        configuration = directory / f"{kind}.conf"
        configuration.write_text(SERVER.format(kind=kind, port=port, **common))
        server = [BIN / f"swift-{kind}-server", configuration, "--verbose"]
        processes.start(f"swift-{kind}", server, f"http://{HOST}:{port}/")
    port = free_port()
    configuration = directory / "proxy.conf"
    configuration.write_text(PROXY.format(port=port, keystone=keystone, password=password, **common))
    url = f"http://{HOST}:{port}"
    processes.start("swift-proxy", [BIN / "swift-proxy-server", configuration, "--verbose"], f"{url}/healthcheck")
    return url


def offer(keystone, password, kind, name, url):
    """Enters a service in Keystone's catalogue."""
    admin = v3.Password(auth_url=keystone, username="admin", password=password, project_name="admin",
                        user_domain_id="default", project_domain_id="default")
    session = Session(auth=admin)
    service = session.post(f"{keystone}/services", json={"service": {"type": kind, "name": name}}).json()["service"]
    session.post(f"{keystone}/endpoints", json={
        "endpoint": {"service_id": service["id"], "interface": "public", "region_id": REGION, "url": url}})


def show_logs(directory):
    for log in sorted(directory.glob("*.log")):
        print(f"== {log.name}\n{log.read_text(errors='replace')[-8000:]}", file=sys.stderr)


def main(command):
    if not command:
        sys.exit("usage: services.py COMMAND [ARGUMENT...]")
    # However it ends, what was started is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    # Nothing of this goes through a proxy.
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = HOST
    password = secrets.token_hex(16)
    with tempfile.TemporaryDirectory(prefix="services-", dir=os.environ.get("SERVICES_DIR")) as name:
        directory = pathlib.Path(name)
        with Processes(directory) as processes:
            keystone = start_keystone(processes, directory / "keystone", password)
            swift = start_swift(processes, directory / "swift", keystone, password)
            processes.wait()
            offer(keystone, password, "object-store", "swift", f"{swift}/v1/AUTH_$(project_id)s")
            environment = {
                **os.environ,
                "OS_AUTH_URL": keystone,
                "OS_USERNAME": "admin",
                "OS_PASSWORD": password,
                "OS_PROJECT_NAME": "admin",
                "OS_USER_DOMAIN_NAME": "Default",
                "OS_PROJECT_DOMAIN_NAME": "Default",
                "OS_REGION_NAME": REGION,
            }
            status = subprocess.run(command, env=environment).returncode
            if status and os.environ.get("SERVICES_LOGS"):
                show_logs(directory)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
