"""pools LIBRARY COUNT: multiprocessing pools of forked workers over ctypes,
while threads of the parent are inside the library."""
import ctypes
import multiprocessing
import sys
import threading

library = ctypes.CDLL(sys.argv[1])


def worker(number):
    if library.Init() != 0:
        return "Init"
    if library.Work(4) != 4:
        return "Work"
    return number


def busy(stop):
    while not stop.is_set():
        if library.Work(4) != 4:
            raise SystemExit("the parent's own work failed")


def main():
    assert library.Init() == 0 and library.Work(8) == 8
    stop = threading.Event()
    threads = [threading.Thread(target=busy, args=(stop,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    context = multiprocessing.get_context("fork")
    try:
        for _ in range(int(sys.argv[2])):
            with context.Pool(3) as pool:
                got = pool.map_async(worker, range(24)).get(timeout=30)
            assert got == list(range(24)), got
    finally:
        stop.set()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    main()
