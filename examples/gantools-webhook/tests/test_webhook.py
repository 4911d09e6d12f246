"""What is posted, and that no receiver can harm a training."""

from __future__ import annotations

import json
import math
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import gantools_webhook
import pytest
from gantools_webhook.sender import CAPACITY, Sender, plain, sender

import gantools
from gantools.testing import assert_plugin_ok

EVENTS = [
    ("run_began", None),
    ("checkpoint_saved", 0),
    ("figures_recorded", 10),
    ("figures_recorded", 20),
    ("checkpoint_saved", 20),
    ("run_ended", 20),
    ("evaluated", None),
]
"""What happens in twenty turns of the toy, and at which turn."""


class Receiver(ThreadingHTTPServer):
    """Keeps the messages that it is sent; answers when ``open`` is set, with ``status``."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.address = f"http://127.0.0.1:{self.server_port}/hook"
        self.messages, self.types, self.status = [], set(), 204
        self.open = threading.Event()
        self.open.set()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.open.wait(30)
        self.server.messages.append(json.loads(body, parse_constant=pytest.fail))
        self.server.types.add(self.headers["Content-Type"])
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("GANTOOLS_WEBHOOK", raising=False)


@pytest.fixture
def receiver():
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.open.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def train(clean_plugins, tmp_path, monkeypatch):
    """Train the toy for twenty turns with the plugin, posting to an address."""

    def play(address, **options):
        monkeypatch.setenv("GANTOOLS_WEBHOOK", address)
        plugins = clean_plugins(webhook=gantools_webhook)
        small = {"steps": 20, "progress": False, **options}
        run = gantools.run("toy", out=tmp_path / "run", plugins=plugins, **small)
        return run, plugins

    return play


@pytest.fixture
def silent():
    """The address of a receiver that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"


def dead():
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    return f"http://127.0.0.1:{port}/"


def post_many(sending, count):
    for number in range(count):
        sending.post({"number": number})


# -- the contract -----------------------------------------------------------------------------


def test_the_contract(gantools_cache, receiver, monkeypatch):
    assert_plugin_ok("webhook")
    assert receiver.messages == []
    monkeypatch.setenv("GANTOOLS_WEBHOOK", receiver.address)
    assert_plugin_ok("webhook")
    assert len(receiver.messages) >= len(EVENTS) - 1


# -- what is posted ---------------------------------------------------------------------------


def test_all_that_happens_is_posted_in_order(train, receiver):
    run, plugins = train(receiver.address)
    assert sender(receiver.address).flush(10)
    messages = receiver.messages
    assert [(m["event"], m.get("turn")) for m in messages] == EVENTS
    assert all(m["run"] == "run" and m["application"] == "toy" for m in messages)
    assert all(m["lost"] == 0 for m in messages)
    assert receiver.types == {"application/json"}
    assert not plugins.faults

    began, *_, last_row, _, ended, judged = messages
    assert (began["seed"], began["turns"]) == (0, 20)
    assert last_row["figures"].keys() >= {"generator/loss", "evaluation/score"}
    assert ended["status"] == "finished"
    assert ended["train_seconds"] == run.manifest["train_seconds"]
    assert judged["results"] == run.evaluation


def test_nothing_is_posted_without_an_address(train, receiver):
    run, plugins = train("")
    assert run.manifest["status"] == "finished"
    assert not plugins.faults
    assert receiver.messages == []


def test_a_training_that_fails_is_told(train, receiver):
    with pytest.raises(gantools.UserError):
        train(receiver.address, poison=5)
    assert sender(receiver.address).flush(10)
    assert receiver.messages[-1]["status"] == "failed"


def test_what_json_has_no_word_for_is_null(receiver):
    given = {"a": math.nan, "b": [1.5, math.inf], "c": {"d": -math.inf, "e": (True, None, "x")}}
    cleaned = {"a": None, "b": [1.5, None], "c": {"d": None, "e": [True, None, "x"]}}
    assert plain(given) == cleaned
    sending = Sender(receiver.address)
    sending.post(given)
    assert sending.flush(10)
    assert receiver.messages[0].items() >= cleaned.items()


# -- receivers that are of no use ---------------------------------------------------------------


def test_a_dead_port_does_not_stop_the_run(train):
    with pytest.warns(UserWarning, match=r"a message did not arrive \(.*refused"):
        run, plugins = train(dead())
    assert run.manifest["status"] == "finished"
    assert not plugins.faults


def test_a_receiver_that_never_answers_does_not_slow_the_run(train, silent):
    run, plugins = train(silent)
    assert run.manifest["status"] == "finished"
    assert not plugins.faults  # the host names a hook that takes half a second
    assert run.manifest["train_seconds"] < 2  # the first answer would have been awaited for 3 s


@pytest.mark.parametrize("status", [301, 404, 500])
def test_what_the_receiver_refuses_is_lost(receiver, status):
    receiver.status = status
    sending = Sender(receiver.address)
    sending.post({"number": 1})
    with pytest.warns(UserWarning, match=f"HTTP Error {status}"):
        assert sending.flush(10)
    assert sending.lost == 1
    assert len(receiver.messages) == 1  # no redirect was followed


def test_a_full_queue_loses_the_oldest_and_the_last_message_tells_how_many(receiver):
    receiver.open.clear()
    sending = Sender(receiver.address)
    posted = CAPACITY + 50
    with pytest.warns(UserWarning, match="too slow"):
        post_many(sending, posted)
    assert not sending.flush(0.01)
    receiver.open.set()
    assert sending.flush(10)
    numbers = [message["number"] for message in receiver.messages]
    assert numbers == sorted(numbers)
    assert numbers[-1] == posted - 1
    assert receiver.messages[-1]["lost"] == sending.lost == posted - len(numbers) > 0


def test_what_waits_when_the_process_ends_still_leaves(receiver):
    receiver.open.clear()
    threading.Timer(1.5, receiver.open.set).start()
    code = "from gantools_webhook.sender import sender; sender({!r}).post({{'number': 1}})"
    subprocess.run([sys.executable, "-c", code.format(receiver.address)], check=True, timeout=30)
    assert [message["number"] for message in receiver.messages] == [1]


# -- addresses that are none --------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    ["ftp://host/secret", "file:///secret", "host/secret", "http:///secret", "http://a:secret/"],
)
def test_what_is_no_address_is_refused_without_repeating_it(address):
    with pytest.raises(gantools.UserError, match="must be an http:// or https:// address") as said:
        Sender(address)
    assert "secret" not in str(said.value)


def test_a_wrong_address_is_said_once_and_the_run_goes_on(train, capfd):
    run, _ = train("hooks.example/secret")
    assert run.manifest["status"] == "finished"
    said = capfd.readouterr().err
    assert said.count("plugin 'webhook'") == 1
    assert "failed in run_began: UserError: GANTOOLS_WEBHOOK must be an http:// or" in said
    assert "secret" not in said
