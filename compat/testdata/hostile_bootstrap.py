#!/usr/bin/python3
"""A runtime that does what its events say, and keeps to the Runtime API as little as that asks."""

import http.client, json, os, signal, socket, time

address = os.environ["AWS_LAMBDA_RUNTIME_API"]
API = "/2018-06-01/runtime/"

# call gives status, headers and body, or three times nothing when the server breaks off.
def call(method, path, body=None, headers={}):
    c = http.client.HTTPConnection(address)
    try:
        c.request(method, API + path, body, headers)
        r = c.getresponse()
        return r.status, r.headers, r.read()
    except OSError: return None, None, None
    finally: c.close()

def send(request):
    host, port = address.split(":")
    with socket.create_connection((host, int(port))) as s:
        s.sendall(request)
        s.shutdown(socket.SHUT_WR)

while True:
    _, headers, event = call("GET", "invocation/next")
    id, does = headers["Lambda-Runtime-Aws-Request-Id"], json.loads(event)
    own = "invocation/%s/" % id
    answer = None
    if does == "rests": answer = "rested"
    if does == "asks again":
        status, again, _ = call("GET", "invocation/next")
        answer = [status, again["Lambda-Runtime-Aws-Request-Id"] == id]
    if does == "answers for others":
        other = "invocation/00000000-0000-0000-0000-000000000000/"
        answer = [call("POST", path, b"1")[0] for path in (other + "response", other + "error", "invocation//")]
    if does == "fails to initialize late":
        answer = [call("POST", "init/error", b"{}")[0], call("POST", "init/error", b"x" * 60000)[0]]
    if does == "breaks off":
        for kind in "response", "error":
            send(("POST %s%s%s HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nonly this" % (API, own, kind)).encode())
            time.sleep(0.1)
        answer = [None, None]
    if does == "sends long headers":
        long = {"X-Long": "x" * 100000}
        requests = ("GET", "invocation/next", None), ("POST", own + "response", b"1")
        answer = [call(*request, long)[0] in (431, None) for request in requests]
    if does == "answers twice":
        call("POST", own + "response", b'"first"')
        call("POST", own + "response", b'"second"')
        call("POST", own + "error", b'{}')
        continue
    if does == "closes its output":
        os.closerange(0, 3)
        answer = "closed"
    if does == "answers too much":
        call("POST", own + "response", b"x" * 7000000)
        continue
    if does == "stalls":
        send_forever = socket.create_connection(tuple(address.split(":")))
        send_forever.sendall(("POST %s%sresponse HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n" % (API, own)).encode())
        time.sleep(1000)
    if does == "ignores signals":
        for s in range(1, 32):
            if s not in (signal.SIGKILL, signal.SIGSTOP): signal.signal(s, signal.SIG_IGN)
        while True: pass
    if does == "answers and ends":
        call("POST", own + "response", b'"ended"')
        os._exit(1)
    call("POST", own + "response", json.dumps(answer))
