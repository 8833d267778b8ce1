"""The Python template with one mistake, named by the first argument. `none` makes no mistake."""

import importlib.util
import json
import os
import pathlib
import sys
import threading

PLACE = pathlib.Path(__file__).resolve().parents[2] / "driver-template" / "python" / "driver_template.py"
SPEC = importlib.util.spec_from_file_location("driver_template", PLACE)
template = importlib.util.module_from_spec(SPEC)
sys.dont_write_bytecode = True
SPEC.loader.exec_module(template)

Host, Right = template.Host, {name: getattr(template.Host, name) for name in vars(template.Host)}
understand, own_standard_output = template.understand, template.own_standard_output


def replace(name):
    """Puts a function in the place of the template's method."""
    return lambda function: setattr(Host, name, function)


def none():
    pass


def no_hello():
    @replace("say")
    def say(self, **message):
        if message["type"] != "hello":
            Right["say"](self, **message)


def two_hellos():
    @replace("say")
    def say(self, **message):
        for _time in range(1 + (message["type"] == "hello")):
            Right["say"](self, **message)


def another_version():
    template.PROTOCOL = 2


def prints():
    @replace("heed")
    def heed(self, message):
        self.out.write(b"debug: a message came\n")
        Right["heed"](self, message)


def unknown_field():
    @replace("say")
    def say(self, **message):
        Right["say"](self, **message, comment="hello")


def takes_any_version():
    @replace("welcome")
    def welcome(self, message):
        return Right["welcome"](self, message | {"protocol": template.PROTOCOL})


def early_devices():
    @replace("say")
    def say(self, **message):
        Right["say"](self, **message)
        if message["type"] == "hello":
            Right["say"](self, type="devices", service="up", devices=[])


def ends_on_second_welcome():
    @replace("welcome")
    def welcome(self, message):
        return 1 if self.device else Right["welcome"](self, message)


def takes_any_settings():
    right = template.read_settings
    template.read_settings = lambda told: right(told) or (("127.0.0.1", 1), "front")


def job_before_welcome():
    @replace("refusal")
    def refusal(self, start):
        return None if self.device is None else Right["refusal"](self, start)


def forgets_jobs_at_the_end():
    @replace("next_event")
    def next_event(self):
        event = Right["next_event"](self)
        if event[0] == "input ended":
            self.job = None
        return event


def ignores_the_end():
    @replace("next_event")
    def next_event(self):
        while (event := Right["next_event"](self))[0] == "input ended":
            pass
        return event


def ends_with_another_code():
    template.EXIT_INPUT_ENDED = 7


def no_devices():
    Host.tell_devices = lambda self: None


def device_twice():
    @replace("say")
    def say(self, **message):
        if message["type"] == "devices":
            message["devices"] *= 2
        Right["say"](self, **message)


def new_ids():
    @replace("welcome")
    def welcome(self, message):
        code = Right["welcome"](self, message)
        self.device = f"driver-template:{os.getpid()}"
        return code


def foreign_ids():
    @replace("welcome")
    def welcome(self, message):
        code = Right["welcome"](self, message)
        self.device = "codeScanner:front"
        return code


def unknown_class():
    @replace("say")
    def say(self, **message):
        for device in message.get("devices", []):
            device["class"] = "toaster"
        Right["say"](self, **message)


def progress_before_accepted():
    @replace("say")
    def say(self, **message):
        if message["type"] == "accepted":
            Right["say"](self, type="progress", id=message["id"], step="waitingForCode")
        Right["say"](self, **message)


def two_finished():
    @replace("say")
    def say(self, **message):
        for _time in range(1 + (message["type"] == "finished")):
            Right["say"](self, **message)


def takes_any_device():
    @replace("refusal")
    def refusal(self, start):
        return Right["refusal"](self, start | {"device": self.device})


def takes_any_task():
    @replace("refusal")
    def refusal(self, start):
        return Right["refusal"](self, start | {"task": {"kind": "scanCodes"}})


def second_job_replaces_the_first():
    @replace("refusal")
    def refusal(self, start):
        if self.device is not None:
            self.end_job()
        return Right["refusal"](self, start)


def ignores_cancel():
    @replace("heed")
    def heed(self, message):
        if message["type"] != "cancel":
            Right["heed"](self, message)


def ignores_the_deadline():
    @replace("start")
    def start(self, message):
        Right["start"](self, message | {"deadlineMs": template.LONGEST_JOB_MS})


def answers_words_for_no_job():
    @replace("heed")
    def heed(self, message):
        if message["type"] == "cancel" and self.job is None:
            self.failed(message["id"], "JOB-CANCELLED")
        Right["heed"](self, message)


def invents_faults():
    right = Right["failed"]
    Host.failed = lambda self, number, code: right(self, number, "SCANNER-ON-FIRE")


def refuses_its_task():
    @replace("refusal")
    def refusal(self, start):
        return Right["refusal"](self, start) or "DEV-UNSUPPORTED"


def busy_while_waiting():
    @replace("start")
    def start(self, message):
        Right["start"](self, message)
        threading.Event().wait(4)


def rounds_numbers():
    @replace("say")
    def say(self, **message):
        if message["type"] == "pong":
            message["n"] = int(float(message["n"]))
        Right["say"](self, **message)


def answers_garbage():
    def lenient(line):
        message = understand(line)
        if message is None and b'"ping"' in line:
            return {"type": "ping", "n": 31}
        return message

    template.understand = lenient


def dies_of_garbage():
    def strict(line):
        json.loads(line)
        return understand(line)

    template.understand = strict
    threading.excepthook = lambda _args: os._exit(1)


def takes_long_lines():
    template.MAX_LINE = 1 << 30


def takes_unfinished_lines():
    right = os.read

    def read(descriptor, count):
        return right(descriptor, count) or (b"\n" if not done and not done.append(1) else b"")

    done = []
    os.read = read


def logs_what_was_scanned():
    @replace("scanned")
    def scanned(self, code):
        template.log(f"scanned {code}")
        Right["scanned"](self, code)


def logs_bad_lines():
    def talkative(line):
        message = understand(line)
        if message is None:
            template.log(line)
        return message

    template.understand = talkative


def items_before_received():
    @replace("hand_on")
    def hand_on(self):
        self.job.under_way = False
        Right["hand_on"](self)


def items_count_on():
    numbers = []

    @replace("start")
    def start(self, message):
        Right["start"](self, message)
        self.job.last_item = len(numbers)

    @replace("scanned")
    def scanned(self, code):
        numbers.append(1)
        Right["scanned"](self, code)


def keeps_strays():
    strays = []

    @replace("scanned")
    def scanned(self, code):
        if self.job is None:
            strays.append(code)
        Right["scanned"](self, code)

    @replace("start")
    def start(self, message):
        Right["start"](self, message)
        self.job.waiting = list(strays)
        self.hand_on()


def counts_wrong():
    @replace("end_job")
    def end_job(self, fault=None):
        if self.job:
            self.job.delivered += 1
        Right["end_job"](self, fault)


def serves_once():
    @replace("end_job")
    def end_job(self, fault=None):
        before = self.job
        Right["end_job"](self, fault)
        self.job = before and template.Job(0, float("inf"))


globals()[sys.argv[1]]()
status = template.main()
sys.stderr.flush()
os._exit(status)
