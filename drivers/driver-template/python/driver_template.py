#!/usr/bin/env python3
"""A whole driver host, to be copied: one code scanner whose codes come over TCP, a code a line.

Python 3.11 and its standard library only. The numbers (DH-...) are requirements of
docs/protocol/driver-host.md; drivers/driver-template/src/main.rs is the same in Rust.

    thread from-agent: standard input --\\
    thread scanner:    TCP --------------+--> one queue --> Host (main thread) --> standard output

Everything that can happen is an event in one queue, and Host handles one at a time: so it can never be
held up by the device (DH-050), and there is nothing to lock.
For a device of your own, replace watch_scanner, read_settings, and what Host does with a task.
"""

import base64
import json
import os
import queue
import socket
import sys
import threading
import time

# The name under which the operator lists this driver; the device's id begins with it (DH-023).
NAME = "driver-template"
VERSION = "0.1.0"
PROTOCOL = 1
MAX_LINE = 262_144
# No code holds more (QR, version 40, has 2953 bytes); the rest leaves room for joined ones.
LONGEST_CODE = 64 * 1024
# How many codes wait behind the one that is under way.
MAX_WAITING = 64
LOOK_AGAIN_SECONDS = 2.0
CONNECT_WITHIN_SECONDS = 5.0
LONGEST_JOB_MS = 24 * 60 * 60 * 1000

# The exit codes of DH-019.
EXIT_INPUT_ENDED, EXIT_SYSTEM, EXIT_VERSION, EXIT_SETTINGS = 0, 1, 3, 5

# The agent's messages: the fields that each must have, and those that it may have (DH-003).
MESSAGES = {
    "welcome": ({"protocol": int}, {"settings": object}),
    "start": ({"id": int, "device": str, "deadlineMs": int, "task": dict}, {}),
    "answer": ({"id": int, "ask": int, "answer": dict}, {}),
    "part": ({"id": int, "attachment": int, "data": str, "last": bool}, {}),
    "received": ({"id": int, "n": int}, {}),
    "act": ({"id": int, "act": dict}, {}),
    "cancel": ({"id": int}, {}),
    "ping": ({"n": int}, {}),
}


def log(what):
    """Standard error is the log. What was scanned is of a citizen and never goes there (DH-005)."""
    print(what, file=sys.stderr, flush=True)


def own_standard_output():
    """Takes standard output for the protocol alone (DH-001): whatever a library prints goes to the log."""
    protocol = os.dup(1)
    os.dup2(2, 1)
    return open(protocol, "wb", buffering=0)


# The agent ----------------------------------------------------------------------------------------------


def understand(line):
    """The message on a line, or None. Strict: what is not specified is no message (DH-003)."""
    try:
        message = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return None
    if message["type"] not in MESSAGES:
        return None
    must, may = MESSAGES[message["type"]]
    fields = {name: value for name, value in message.items() if name != "type"}
    for name, kind in must.items():
        if name not in fields or not is_a(fields[name], kind):
            return None
    for name in fields:
        if name not in must and name not in may:
            return None
    return message


def is_a(value, kind):
    """Whether a value is of this kind; in Python True is a number, in JSON it is none."""
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return isinstance(value, kind)


def listen(events):
    """Reads what the agent says until it closes the input. Keeps no line that is too long (DH-002), and
    shows none: it can hold a PIN. A last line without its line feed is no line (DH-004)."""
    line, too_long = bytearray(), False
    while chunk := os.read(0, 64 * 1024):
        *ended, rest = chunk.split(b"\n")
        for part in ended:
            line += part
            if too_long or len(line) > MAX_LINE:
                log("a line of the agent is too long")
            else:
                message = understand(bytes(line))
                if message is None:
                    log("a line of the agent is no message")
                else:
                    events.put(("heard", message))
            line, too_long = bytearray(), False
        line += rest
        if len(line) > MAX_LINE:
            line, too_long = bytearray(), True
    events.put(("input ended", None))


# The device ---------------------------------------------------------------------------------------------


def watch_scanner(address, events):
    """Watches the scanner until the host ends. May wait for it as long as it likes: it has its own thread."""
    pause = threading.Event()
    while True:
        try:
            with socket.create_connection(address, CONNECT_WITHIN_SECONDS) as scanner:
                scanner.settimeout(None)
                events.put(("scanner", True))
                with scanner.makefile("rb") as lines:
                    # A line is kept up to the longest code; one that is longer ends the connection.
                    while (line := lines.readline(LONGEST_CODE)).endswith(b"\n"):
                        if code := line.rstrip(b"\r\n"):
                            events.put(("scanned", code))
                events.put(("scanner", False))
        except OSError:
            events.put(("scanner", False))
        pause.wait(LOOK_AGAIN_SECONDS)


def read_settings(told):
    """What the operator writes under [vendor_driver.settings]: strictly, because a misspelt key must not go
    unnoticed (DH-015). None where they cannot be used."""
    if not isinstance(told, dict) or set(told) != {"address", "name"}:
        return None
    address, name = told["address"], told["name"]
    if not isinstance(address, str) or not isinstance(name, str):
        return None
    host, colon, port = address.rpartition(":")
    if not (host and colon and port.isascii() and port.isdigit()):
        return None
    return (host, int(port)), name


# The host -----------------------------------------------------------------------------------------------


class Job:
    """What a job is given of its life, and what came of it."""

    def __init__(self, number, until):
        self.id = number
        self.until = until
        self.last_item = 0
        # Whether the last item is on its way and was not received yet.
        self.under_way = False
        self.waiting = []
        self.delivered = 0


class Host:
    """What the host knows, and what it does about each event."""

    def __init__(self, events, out):
        self.events = events
        self.out = out
        self.device = None
        self.name = None
        self.there = False
        self.stray = 0
        self.job = None

    def run(self):
        """Serves until the agent closes the input; returns the exit code."""
        # DH-010: hello is the first word.
        self.say(type="hello", protocols=[PROTOCOL], host={"name": NAME, "version": VERSION})
        while True:
            kind, what = self.next_event()
            if kind == "heard" and what["type"] == "welcome":
                code = self.welcome(what)
                if code is not None:
                    return code
            elif kind == "heard":
                self.heed(what)
            elif kind == "scanner" and what != self.there:
                self.there = what
                if not what:
                    self.end_job("DEV-GONE")
                self.tell_devices()
            elif kind == "scanned":
                self.scanned(what)
            elif kind == "deadline":
                self.end_job()
            elif kind == "input ended":
                # DH-018: the jobs end, each with its own word.
                self.end_job()
                return EXIT_INPUT_ENDED

    def next_event(self):
        """The next thing that happens; the deadline of the job is one of them (DH-036)."""
        if self.job is None:
            return self.events.get()
        try:
            return self.events.get(timeout=max(0.0, self.job.until - time.monotonic()))
        except queue.Empty:
            return "deadline", None

    def welcome(self, message):
        """The version is agreed and the settings are known: from here on there are devices."""
        if message["protocol"] != PROTOCOL:
            return EXIT_VERSION
        if self.device is not None:
            return None
        settings = read_settings(message.get("settings"))
        if settings is None:
            log("the settings must have the texts `address` and `name`, and nothing else")
            return EXIT_SETTINGS
        address, self.name = settings
        self.device = f"{NAME}:{self.name}"
        threading.Thread(target=watch_scanner, args=(address, self.events), daemon=True).start()
        self.tell_devices()
        return None

    def heed(self, message):
        kind = message["type"]
        if kind == "ping":
            self.say(type="pong", n=message["n"])
        elif kind == "start":
            refusal = self.refusal(message)
            if refusal is None:
                self.start(message)
            else:
                # DH-032 to DH-034: what is not taken on is finished and was never accepted.
                self.failed(message["id"], refusal)
        elif self.job is None or message["id"] != self.job.id:
            # DH-037: it crossed with the job's end.
            pass
        elif kind == "cancel":
            self.end_job()
        elif kind == "received" and self.job.under_way and message["n"] == self.job.last_item:
            self.job.under_way = False
            self.job.delivered += 1
            self.hand_on()

    def refusal(self, start):
        """Why a job cannot be taken on, or None."""
        if self.device is None:
            return "HST-UNUSABLE"
        if start["device"] != self.device or not self.there:
            return "DEV-GONE"
        if start["task"] != {"kind": "scanCodes"}:
            return "DEV-UNSUPPORTED"
        if self.job is not None:
            return "DEV-BUSY"
        return None

    def start(self, message):
        span = min(message["deadlineMs"], LONGEST_JOB_MS) / 1000
        self.job = Job(message["id"], time.monotonic() + span)
        self.say(type="accepted", id=self.job.id)
        self.say(type="progress", id=self.job.id, step="waitingForCode")

    def scanned(self, code):
        """DH-072: what is scanned while nobody waits is counted and thrown away."""
        if self.job is None:
            self.stray += 1
            self.tell_devices()
            return
        self.job.waiting = [*self.job.waiting, code][-MAX_WAITING:]
        self.hand_on()

    def hand_on(self):
        """DH-071: one code at a time; the next follows when the last one was received."""
        job = self.job
        if job.under_way or not job.waiting:
            return
        job.under_way = True
        job.last_item += 1
        item = {"kind": "scan", "scan": scan(job.waiting.pop(0))}
        self.say(type="item", id=job.id, n=job.last_item, item=item)

    def end_job(self, fault=None):
        """DH-031: the one place that ends a job; forgetting it is what makes `finished` come once."""
        job, self.job = self.job, None
        if job is None:
            return
        if fault is not None:
            self.failed(job.id, fault)
            return
        left = len(job.waiting) + int(job.under_way)
        count = {"delivered": job.delivered, "undelivered": left}
        product = {"kind": "scans", "count": count}
        self.say(type="finished", id=job.id, outcome={"kind": "done", "product": product})

    def failed(self, number, code):
        """A code of docs/errors.md; the detail is for the log and says nothing of a citizen."""
        fault = {"code": code, "detail": "code scanner over TCP"}
        self.say(type="finished", id=number, outcome={"kind": "failed", "fault": fault})

    def tell_devices(self):
        """DH-021: always the whole list. A scanner that is not connected is not in it."""
        device = {
            "id": self.device,
            "class": "codeScanner",
            "name": self.name,
            "state": "ready",
            "counters": {"strayScans": self.stray},
        }
        self.say(type="devices", service="up", devices=[device] if self.there else [])

    def say(self, **message):
        """DH-001: one JSON object on one line; json.dumps writes line feeds within texts as \\n."""
        self.out.write(json.dumps(message).encode("ascii") + b"\n")


def scan(code):
    """Says which text the bytes are, as far as that is certain."""
    told = {"bytes": base64.b64encode(code).decode("ascii")}
    try:
        text = code.decode("utf-8")
    except UnicodeDecodeError:
        return told | {"rule": "binary", "certain": True, "parts": 1}
    rule = "ascii" if text.isascii() else "utf8"
    return told | {"text": text, "rule": rule, "certain": rule == "ascii", "parts": 1}


def main():
    out = own_standard_output()
    events = queue.Queue()
    threading.Thread(target=listen, args=(events,), daemon=True).start()
    try:
        return Host(events, out).run()
    except OSError as error:
        log(f"the agent cannot be reached: {error}")
        return EXIT_SYSTEM


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # The other threads wait for the agent or the device; they end with the process.
    os._exit(code)
