"""A function that does what its event says: it takes all that it can get, and then some."""

import os, signal, socket, time

def spawn(f, times=1):
    for _ in range(times):
        try:
            if os.fork() == 0:
                try: f()
                finally: os._exit(0)
        except OSError: return

def forks():
    while True:
        try: os.fork()
        except OSError: pass

def spins():
    for s in range(1, 64):
        if s not in (signal.SIGKILL, signal.SIGSTOP, 32, 33): signal.signal(s, signal.SIG_IGN)
    spawn(spins_on, 20)
    spins_on()

def spins_on():
    while True: pass

def prints(text):
    while True: os.write(1, text)

def takes_memory():
    taken = []
    while True: taken.append(bytearray(1 << 20))

def leaves_processes():
    def leave():
        os.setsid()
        spawn(lambda: [signal.signal(signal.SIGTERM, signal.SIG_IGN), time.sleep(1000)])
    spawn(leave, 100)
    return "left"

def fills_tmp():
    try:
        with open("/tmp/full", "wb", 0) as f:
            while True: f.write(bytes(1 << 20))
    except OSError: pass
    try:
        for i in range(1 << 20): os.close(os.open("/tmp/%d" % i, os.O_CREAT))
    except OSError: return "full"

def opens_files():
    def leave():
        files = []
        try:
            while True: files.extend(os.pipe())
        except OSError: time.sleep(1000)
    spawn(leave, 50)
    return "left"

# own gives the addresses of the two listeners.
def own():
    for variable in "AWS_LAMBDA_RUNTIME_API", "AWS_ENDPOINT_URL":
        host, _, port = os.environ[variable].rpartition("/")[2].rpartition(":")
        yield host, int(port)

def connections(address, count):
    found = []
    try:
        while len(found) < count:
            s = socket.socket()
            s.settimeout(0.05)
            s.connect(address)
            found.append(s)
    except OSError: pass
    return found

def fills_sockets():
    def leave():
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(1000)
            held = connections(listener.getsockname(), 400)
            for s in held:
                try:
                    while True: s.send(bytes(1 << 16))
                except OSError: pass
            time.sleep(1000)
    spawn(leave, 4)
    time.sleep(1)
    return "left"

# Half a request on each connection; the runtime's own is there already.
def stalls_connections():
    runtime, endpoint = own()
    def leave():
        held = connections(endpoint, 300) + connections(runtime, 100)
        for i, s in enumerate(held):
            s.send((b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 50000000\r\n\r\n" + bytes(100000))[:20 + i * 1000])
        time.sleep(1000)
    spawn(leave)
    time.sleep(1)
    return "left"

def sends_garbage():
    response = b"POST /2018-06-01/runtime/invocation/00000000-0000-0000-0000-000000000000/response HTTP/1.1\r\n"
    logs = b"POST / HTTP/1.1\r\nX-Amz-Target: Logs_20140328.PutLogEvents\r\n"
    endless = b"Host: a\r\nTransfer-Encoding: chunked\r\n\r\n" + (b"fffff\r\n" + b"[" * 0xfffff + b"\r\n") * 20
    requests = [
        os.urandom(1 << 16), b"\0" * (1 << 20), b"GET /" + b"x" * (1 << 23), b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * (1 << 18),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        response + endless, logs + endless,
        b"POST /2018-06-01/runtime/init/error HTTP/1.1\r\nHost: a\r\nContent-Length: 6000000\r\n\r\n",
        b"DELETE /../../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
    ]
    for address in own():
        for request in requests:
            for s in connections(address, 1):
                try:
                    s.sendall(request)
                    s.recv(1 << 16)
                except OSError: pass
                s.close()
    return "sent"

ACTS = {
    "forks": forks,
    "spins": spins,
    "prints lines": lambda: prints(b"x" * 99 + b"\xff\n"),
    "prints line ends": lambda: prints(b"\n" * (1 << 16)),
    "prints one line": lambda: prints(b"x" * (1 << 16)),
    "takes memory": takes_memory,
    "leaves processes": leaves_processes,
    "fills tmp": fills_tmp,
    "opens files": opens_files,
    "fills sockets": fills_sockets,
    "stalls connections": stalls_connections,
    "sends garbage": sends_garbage,
    "rests": lambda: "rested",
}

def handler(event, context):
    return ACTS[event]()
