"""What the benchmarks share: ports, the load generator's figures, a process's memory and processor time, nginx with one file."""
import os
import pathlib
import re
import resource
import socket
import statistics
import subprocess
import sys
import time

NGINX = """
worker_processes {cores};
worker_rlimit_nofile 4096;
pid {dir}/pid;
error_log {dir}/error.log;
events {{ worker_connections 2048; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
  open_file_cache max=100;
  types {{ application/json json; }}
  client_body_temp_path {dir}/1; proxy_temp_path {dir}/2; fastcgi_temp_path {dir}/3; uwsgi_temp_path {dir}/4;
  scgi_temp_path {dir}/5;
  server {{ listen 127.0.0.1:{port}; root {dir}/www; }}
}}
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def load(url, seconds, connections, extra=(), expect_success=True):
    """(requests a second, p99 in ms) of wrk with one thread."""
    out = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "--latency", *extra, url],
                         check=True, capture_output=True, text=True).stdout
    bad = re.search(r"Non-2xx.*|Socket errors.*", out)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", out)
    slow = re.search(r"99%\s+([\d.]+)(us|ms|s|m)\b", out)
    if (bad and expect_success) or not rate or not slow:
        sys.exit(f"wrk failed on {url}:\n{out}")
    return float(rate[1]), float(slow[1]) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[slow[2]]


def cpu_seconds(pid):
    """Of the process and its children that still run."""
    task = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
    total = sum(cpu_seconds(int(child)) for child in task.read_text().split()) if task.exists() else 0
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return total + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid):
    pages = pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def open_idle(port, count, request):
    """Connections that have made one request each and then stay."""
    held = []
    for _ in range(count):
        s = socket.create_connection(("127.0.0.1", port))
        s.sendall(request)
        held.append(s)
    for s in held:
        s.recv(4096)
    return held


def idle_memory(port, pid, count, request):
    """(connections held, bytes before, bytes each)"""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = min(count, hard - 1000)
    before = resident_bytes(pid)
    held = open_idle(port, count, request)
    time.sleep(0.5)
    each = (resident_bytes(pid) - before) / count
    for s in held:
        s.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return count, before, each


def start_nginx(directory, content):
    """nginx serving content as /kb.json, one worker a core, without access log; answers (process, port)."""
    directory = pathlib.Path(directory)
    (directory / "www").mkdir(parents=True)
    (directory / "www/kb.json").write_bytes(content)
    port = free_port()
    conf = directory / "nginx.conf"
    conf.write_text(NGINX.format(cores=os.cpu_count(), dir=directory, port=port))
    os.chmod(directory, 0o755)
    nginx = subprocess.Popen(["nginx", "-p", str(directory), "-c", str(conf), "-g", "daemon off;"])
    wait_for_port(port)
    return nginx, port


def wait_for_port(port):
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"nothing answers on port {port}")


def alternate(cases, rounds, measure):
    """Runs measure(case) for all cases by turns, after one warm-up each; name → (median, spread in per cent) of the first figure and
    the median of the second."""
    seen = {name: [] for name in cases}
    for case in cases.values():
        measure(case)
    for _ in range(rounds):
        for name, case in cases.items():
            seen[name].append(measure(case))
    result = {}
    for name, runs in seen.items():
        first = [r[0] for r in runs]
        middle = statistics.median(first)
        result[name] = (middle, (max(first) - min(first)) / middle * 100, statistics.median(r[1] for r in runs))
    return result
