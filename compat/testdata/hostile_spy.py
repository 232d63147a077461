"""A function that tries to reach what is not its own. It answers with all that it got."""

import ctypes, errno, fcntl, mmap, os, platform, resource, signal, socket, stat, struct

open_doors = []

# attempt notes what f gets. What is refused raises an error, or gets nothing.
def attempt(name, f, *args):
    try: got = f(*args)
    except (OSError, ValueError): return
    if got: open_doors.append("%s: %.200r" % (name, got))

def read(path):
    if os.path.isdir(path): return os.listdir(path)
    with open(path, "rb") as f: return f.read(64)

def write(path):
    os.close(os.open(path, os.O_WRONLY))
    return True

def create(path):
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT))
    return True

# writable tells of a mount whether it can be written, beside those that may.
def writable(source, target, kind, options):
    return "rw" in options.split(",") and target not in ("/tmp", "/proc", "/dev") and not target.startswith(("/dev/", "/proc/"))

def done(f, *args):
    f(*args)
    return True

def connect(address, family=socket.AF_INET):
    with socket.socket(family) as s:
        s.settimeout(2)
        s.connect(address)
        return True

# The numbers on x86_64, and those of all others, such as arm64; those above 424 are the same everywhere.
CALLS = {
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "ptrace": (101, 117),
    "setns": (308, 268), "bpf": (321, 280), "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272), "perf_event_open": (298, 241),
    "userfaultfd": (323, 282), "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104), "reboot": (169, 142),
    "swapon": (167, 224), "sethostname": (170, 161), "settimeofday": (164, 170), "clock_settime": (227, 112),
    "adjtimex": (159, 171), "syslog": (103, 116), "acct": (163, 89), "quotactl": (179, 60), "fanotify_init": (300, 262),
    "vhangup": (153, 58), "io_uring_setup": (425, 425), "open_tree": (428, 428), "move_mount": (429, 429),
    "fsopen": (430, 430), "fsmount": (432, 432), "fspick": (433, 433), "clone3": (435, 435), "pidfd_getfd": (438, 438),
    "mount_setattr": (442, 442), "listns": (470, 470),
}
libc = ctypes.CDLL(None, use_errno=True)
native = 0 if platform.machine() == "x86_64" else 1

def call(number, *args):
    ctypes.set_errno(0)
    if libc.syscall(number, *args) == -1 and ctypes.get_errno() in (errno.EPERM, errno.ENOSYS): return None
    return errno.errorcode.get(ctypes.get_errno(), "success")

def system_calls():
    for name, numbers in CALLS.items():
        attempt(name, call, numbers[native], 0, 0, 0, 0, 0, 0)
    for flag in (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000): # CLONE_NEW…
        attempt("unshare %x" % flag, call, (272, 97)[native], flag)
        if call((56, 220)[native], flag | signal.SIGCHLD, 0, 0, 0, 0) == "success":
            if os.getpid() != me: os._exit(0)
            open_doors.append("clone %x" % flag)
    for family in ("AF_PACKET", "AF_VSOCK", "AF_ALG", "AF_CAN", "AF_BLUETOOTH"):
        if hasattr(socket, family): attempt(family, lambda: socket.socket(getattr(socket, family), socket.SOCK_RAW))
    attempt("raw socket", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP))
    if native == 0: # The calls of other architectures have numbers of their own, which no filter for this one knows.
        attempt("i386", machine_code, b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")    # mov $20, %eax; int $0x80; ret
        attempt("x32", machine_code, b"\xb8\x27\x00\x00\x40\x0f\x05\xc3")     # mov $0x40000027, %eax; syscall; ret

# machine_code asks for the process id in a child: it tells whether that was right.
def machine_code(code):
    child = os.fork()
    if child == 0:
        page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        page.write(code)
        got = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
        os._exit(0 if got == os.getpid() else 1)
    return os.waitpid(child, 0)[1] == 0

HIDDEN = """/etc/shadow /etc/hostname /root /home /run /boot /sys /mnt /media /srv /var/lib /var/log /dev/shm /dev/mqueue /dev/mem
    /dev/kmsg /dev/sda /dev/vda /dev/kvm /dev/fuse /dev/net/tun /proc/kcore /proc/keys /proc/1/environ /proc/1/root/ /proc/1/cwd/
    /proc/1/fd /proc/1/mem /proc/1/maps /proc/1/ns /proc/1/cmdline /tmp/secret"""
FIXED = """/var/task/code.py /var/runtime/bootstrap.py /etc/passwd /etc/hosts /usr/bin/env /proc/sysrq-trigger
    /proc/sys/kernel/core_pattern /proc/sys/kernel/hostname /proc/sys/kernel/ns_last_pid /proc/sys/vm/drop_caches
    /proc/sys/vm/overcommit_memory /proc/sys/user/max_user_namespaces /proc/1/mem /proc/1/oom_score_adj"""
DEVICES = {"null", "zero", "full", "random", "urandom", "tty", "fd", "stdin", "stdout", "stderr", "ptmx", "pts",
    "core"} # a link to /proc/kcore

def files(event):
    data, server = event["data"], "/proc/%d/" % event["server"]
    paths = [data, os.path.dirname(data), data + "/licet.db", data + "/code", server + "environ", server + "root/"]
    for path in paths + HIDDEN.split():
        attempt("read " + path, read, path)
    for path in FIXED.split():
        attempt("write " + path, write, path)
        attempt("chmod " + path, done, os.chmod, path, 0o777)
        attempt("remove " + path, done, os.remove, path)
    for name, value in ("oom_score_adj", b"-1000"), ("uid_map", b"0 0 1"), ("attr/current", b"unconfined"):
        attempt(name, lambda: os.write(os.open("/proc/self/" + name, os.O_WRONLY), value))
    for mode, device in (stat.S_IFBLK, (8, 0)), (stat.S_IFBLK, (254, 0)), (stat.S_IFCHR, (1, 1)), (stat.S_IFCHR, (10, 229)):
        attempt("mknod %x %s" % (mode, device), done, os.mknod, "/tmp/device", mode | 0o600, os.makedev(*device))
    attempt("devices", lambda: set(os.listdir("/dev")) - DEVICES)
    for top, dirs, names in os.walk("/"):
        if top == "/": dirs[:] = set(dirs) - {"proc", "tmp", "dev"}
        if top.startswith("/usr/"): names, dirs[:] = [], [d for d in dirs if top.count("/") < 3]
        attempt("create in " + top, create, top + "/hostile")
        for name in names:
            attempt("writable: " + os.path.join(top, name), os.access, os.path.join(top, name), os.W_OK)
            if name == "licet.db": open_doors.append("data directory: " + top)
    attempt("mounts that take writes", lambda: [m for m in open("/proc/self/mounts") if writable(*m.split()[:4])])
    attempt("setuid programs", lambda: not os.statvfs("/usr/bin").f_flag & os.ST_NOSUID)
    attempt("control group", lambda: [g for g in open("/proc/self/cgroup") if not g.endswith(":/\n")])

def processes(event):
    attempt("processes of others", lambda: [p for p in os.listdir("/proc") if p.isdigit() and int(p) != me])
    attempt("signal to all", done, os.kill, -1, 0)
    attempt("signal to 1", done, os.kill, 1, signal.SIGKILL)
    attempt("signal to the server", done, os.kill, event["server"], 0)
    attempt("root", done, os.setuid, 0)
    attempt("root's group", done, os.setgid, 0)
    attempt("groups", done, os.setgroups, [0])
    attempt("priority", done, os.setpriority, os.PRIO_PROCESS, 0, -20)
    attempt("real time", done, os.sched_setscheduler, 0, os.SCHED_FIFO, os.sched_param(1))
    attempt("open files", done, resource.setrlimit, resource.RLIMIT_NOFILE, (4096, 4096))
    attempt("core files", done, resource.setrlimit, resource.RLIMIT_CORE, (1 << 20, 1 << 20))
    attempt("namespace of 1", done, os.open, "/proc/1/ns/mnt", os.O_RDONLY)
    attempt("shared memory", lambda: open("/proc/sysvipc/shm").read().count("\n") - 1)
    attempt("variables", lambda: [k for k, v in os.environ.items() if event["marker"] in v or event["data"] in v])

def network(event):
    for port in event["ports"]: attempt("127.0.0.1:%d" % port, connect, ("127.0.0.1", port))
    for address in (("169.254.169.254", 80), ("192.0.2.1", 80), ("8.8.8.8", 53)): attempt("%s:%d" % address, connect, address)
    for name in event["abstract"]: attempt("@" + name, connect, "\0" + name, socket.AF_UNIX)
    attempt("interfaces", lambda: [i for _, i in socket.if_nameindex() if i != "lo"])
    with socket.socket() as s:
        attempt("interface flags", fcntl.ioctl, s, 0x8914, struct.pack("16sh14x", b"lo", 0)) # SIOCSIFFLAGS
    host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
    attempt("own runtime API", connect, (host, int(port)))

me = os.getpid()

def handler(event, context):
    open_doors.clear()
    system_calls()
    files(event)
    processes(event)
    network(event)
    return open_doors
