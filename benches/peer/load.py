"""Clients that ask a sentiment service at the same time: texts a second, and how long each request took.

Every client keeps one connection and sends its next request when the last is answered. Prints one JSON object.
"""

import argparse
import http.client
import json
import queue
import statistics
import threading
import time
import urllib.parse

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--url", required=True, help="such as http://127.0.0.1:8080")
parser.add_argument("--name", default="", help="what the result calls this service")
parser.add_argument("--texts", required=True, help="a JSON list of texts")
parser.add_argument("--clients", type=int, default=8)
parser.add_argument("--each", type=int, default=1, help="texts in one request")
parser.add_argument("--requests", type=int, default=64)
parser.add_argument("--wait", type=float, default=300, help="seconds until the service must listen")
options = parser.parse_args()

address = urllib.parse.urlsplit(options.url)
with open(options.texts, encoding="utf-8") as file:
    texts = json.load(file)


def connect():
    return http.client.HTTPConnection(address.hostname, address.port, timeout=600)


def ask(connection, asked):
    connection.request("POST", "/v1/sentiment", json.dumps({"texts": asked}), {"content-type": "application/json"})
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, body
    labels = [result["label"] if "label" in result else result["sentiment"]["label"] for result in json.loads(body)["results"]]
    assert len(labels) == len(asked)
    return labels


give_up = time.monotonic() + options.wait
while True:
    try:
        connection = connect()
        connection.request("GET", "/health")
        connection.getresponse().read()
        break
    except OSError:
        assert time.monotonic() < give_up, "nobody listens"
        time.sleep(0.5)

ask(connection, texts[: options.each])  # warm up
waiting = queue.SimpleQueue()
for n in range(options.requests):
    waiting.put([texts[(n * options.each + i) % len(texts)] for i in range(options.each)])
seconds = []


def client():
    connection = connect()
    while True:
        try:
            asked = waiting.get_nowait()
        except queue.Empty:
            return
        begun = time.perf_counter()
        ask(connection, asked)
        seconds.append(time.perf_counter() - begun)


begun = time.perf_counter()
clients = [threading.Thread(target=client) for _ in range(options.clients)]
for thread in clients:
    thread.start()
for thread in clients:
    thread.join()
wall = time.perf_counter() - begun
assert len(seconds) == options.requests, "a client failed"
print(json.dumps({
    "task": "service", "engine": options.name, "clients": options.clients, "texts_each": options.each,
    "texts_per_second": round(options.requests * options.each / wall, 2),
    "median_seconds": round(statistics.median(seconds), 3),
    "slowest_seconds": round(max(seconds), 3),
}))
