"""Services in Python, in trouble or not. Each argument is one task, and all of them run at once: shop.py 'serve 8080' 'transfer'"""
import re
import socketserver
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler


def log(text):
    print(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), text)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok\n")

    def log_message(self, *_):
        pass


def serve(port):
    """HTTP: 200 for everything."""
    socketserver.TCPServer.allow_reuse_address = True
    with socketserver.ThreadingTCPServer(("", int(port)), Handler) as server:
        log("INFO listening")
        server.serve_forever()


def transfer():
    """Between two accounts, in both directions."""
    giro, savings = threading.Lock(), threading.Lock()

    def pay(source, target):
        while True:
            with source:
                time.sleep(0.05)
                with target:
                    pass

    for name, pair in (("payment-in", (giro, savings)), ("payment-out", (savings, giro))):
        threading.Thread(target=pay, args=pair, name=name).start()
    log("INFO paying")


def price(after):
    """A search of prices that takes very long, begun after so many seconds."""
    time.sleep(float(after))
    log("INFO matching prices")
    re.match(r"^(\d+\s?)+$", "1234567890 1234567890 1234567890 1234567890 1234567890 x")


def pool(count):
    """Idle workers, and one that looks for work each second."""
    import queue

    jobs = queue.Queue()
    for _ in range(int(count)):
        threading.Thread(target=lambda: [jobs.get() for _ in iter(int, 1)], daemon=True).start()
    while True:
        time.sleep(1)
        jobs.put(None)


if __name__ == "__main__":
    threads = []
    for argument in sys.argv[1:]:
        task, *words = argument.split()
        threads.append(threading.Thread(target=globals()[task], args=words, name=task))
        threads[-1].start()
    for thread in threads:
        thread.join()
    log("INFO all tasks are begun")
