"""A disk of which only what was fsynced survives, made from a record of the system calls of real processes.

`strace` writes down, in one order for all processes and threads, what was written where, what was fsynced, and what left
by a socket. `Disk` takes the calls up to any moment and gives the folder as a power cut at that moment may leave it:

- of each file the bytes that an fsync begun after they were written has covered, and of the rest any choice of sectors
  of 512 bytes, so that writes are torn and come in any order;
- of each folder the names that an fsync of the folder has covered, and any choice of the names made or removed since;
- of shared memory (`-shm`) nonsense, as nothing promises anything about it.

What it does not show: a disk that lies about a flush, sectors that are torn within, and a file system that damages what
was not written. Nothing is known here of SQLite: it is judged by what it asks of the kernel.
"""

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath

CALLS = (
    "openat,creat,mkdir,mkdirat,link,linkat,rename,renameat,renameat2,unlink,unlinkat,write,pwrite64,writev,pwritev,"
    "pwritev2,ftruncate,truncate,fallocate,fsync,fdatasync,sync_file_range,sendto,sendmsg"
)
NOT_MODELLED = frozenset(
    {"writev", "pwritev", "pwritev2", "truncate", "fallocate", "creat", "sync_file_range"}
)
SECTOR = 512
_LINE = re.compile(r"(?P<pid>\d+) +(?P<rest>.*)")
_CALL = re.compile(r"(?P<name>\w+)\((?P<arguments>.*)")
_RESUMED = re.compile(r"<\.\.\. (?P<name>\w+) resumed>.*\)\s+= (?P<result>-?\d+)")
_RESULT = re.compile(r"\)\s+= (?P<result>-?\d+)(?:<[^>]*>)?[^)]*$")
_HEX = re.compile(r"(?:\\x[0-9a-f]{2})+")
_FIRST_FD = re.compile(r"(\d+)<((?:\\x[0-9a-f]{2})*)(?:\([^)]*\))?>")


class NotModelledError(Exception):
    """A process did to a file what this disk does not know: what it would leave is not guessed."""


def strace(log):
    """The words before a command that have all it starts recorded."""
    return ("strace", "-f", "--seccomp-bpf", "-y", "-xx", "-s", "10000000", "-e", f"trace={CALLS}", "-o", str(log))  # fmt: skip


def _text(escaped):
    return bytes.fromhex(escaped.replace("\\x", ""))


@dataclass(eq=False)
class Write:
    """Bytes on their way to a file, or its new length."""

    offset: int
    data: bytes | None  # None: the file is cut or stretched to `offset`
    done: bool = False


@dataclass(eq=False)
class File:
    kept: bytearray = field(default_factory=bytearray)
    on_the_way: list = field(default_factory=list)
    length: int = 0  # as the running processes see it

    def survives(self, chance, rng):
        """The bytes after the cut; each sector under way is there by chance."""
        body = bytearray(self.kept)
        for write in self.on_the_way:
            if write.data is None:
                if rng.random() < chance:
                    _to_length(body, write.offset)
                continue
            start, end = write.offset, write.offset + len(write.data)
            while start < end:
                stop = min(end, (start // SECTOR + 1) * SECTOR)
                if rng.random() < chance:
                    _put(body, start, write.data[start - write.offset : stop - write.offset])
                start = stop
        return bytes(body)


def _put(body, offset, data):
    if len(body) < offset:
        body.extend(bytes(offset - len(body)))
    body[offset : offset + len(data)] = data


def _to_length(body, length):
    del body[length:]
    body.extend(bytes(length - len(body)))


@dataclass(eq=False)
class Folder:
    kept: dict = field(default_factory=dict)
    on_the_way: list = field(default_factory=list)  # (name, what it names; None: removed)
    names: dict = field(default_factory=dict)  # as the running processes see it

    def set(self, name, node):
        self.on_the_way.append((name, node))
        if node is None:
            self.names.pop(name, None)
        else:
            self.names[name] = node

    def survives(self, chance, rng):
        names = dict(self.kept)
        names.update(one for one in self.on_the_way if rng.random() < chance)
        return {name: node for name, node in names.items() if node is not None}


class Disk:
    """What lies below one folder, as the calls so far have left it."""

    def __init__(self, root, *, deaf=None):
        self.root = PurePosixPath(root)
        self.top = Folder()
        self.deaf = deaf  # an ending of names whose fsync does nothing, to see that it is missed
        self.sent = []  # (pid, bytes) of what left by a socket
        self._waiting = {}  # by thread: what its unfinished call does when it ends

    def take(self, line):
        """One line of the record."""
        found = _LINE.fullmatch(line)
        if not found or found["rest"].startswith(("---", "+++")):
            return
        pid, rest = found["pid"], found["rest"]
        resumed = _RESUMED.match(rest)
        if resumed:
            finish = self._waiting.pop(pid, None)
            if finish:
                finish(int(resumed["result"]), rest)
            return
        call = _CALL.match(rest)
        if not call:
            return
        finish = self._begin(pid, call["name"], call["arguments"])
        if rest.endswith("<unfinished ...>"):
            self._waiting[pid] = finish
            return
        result = _RESULT.search(rest)
        if finish and result:
            finish(int(result["result"]), rest)

    def _begin(self, pid, name, arguments):
        """Do what the call does at once; the answer does what it does when it ends."""
        if name in ("sendto", "sendmsg"):
            strings = [_text(one) for one in _HEX.findall(arguments)[1:]]
            self.sent.append((pid, b"".join(strings[:1])))
            return None
        begin = getattr(self, f"_{name}", None)
        if begin:
            return begin(arguments)
        if name in NOT_MODELLED and self._of_descriptor(arguments):
            raise NotModelledError(name)
        return None

    # ---- places

    def _place(self, path):
        """The folder a path is in and its last name, or None where that is not below the root."""
        path = PurePosixPath(path)
        if not path.is_relative_to(self.root) or path == self.root:
            return None
        *folders, last = path.relative_to(self.root).parts
        folder = self.top
        for one in folders:
            folder = folder.names.get(one)
            if not isinstance(folder, Folder):
                return None
        return folder, last

    def _at(self, path):
        if PurePosixPath(path) == self.root:
            return self.top
        place = self._place(path)
        return place and place[0].names.get(place[1])

    def _of_descriptor(self, arguments):
        found = _FIRST_FD.match(arguments)
        return self._at(_text(found[2]).decode("utf-8", "replace")) if found else None

    @staticmethod
    def _paths(arguments):
        """What the call names in quotes."""
        return [_text(one).decode("utf-8", "replace") for one in re.findall(r'"((?:\\x[0-9a-f]{2})+)"', arguments)]  # fmt: skip

    # ---- calls

    def _openat(self, arguments):
        paths = self._paths(arguments)
        if not paths or ("O_CREAT" not in arguments and "O_TRUNC" not in arguments):
            return None
        place = self._place(paths[0])
        if place is None:
            return None

        def opened(result, _):
            folder, name = place
            if result < 0:
                return
            if name not in folder.names:
                folder.set(name, File())
            elif "O_TRUNC" in arguments:
                self._cut(folder.names[name], 0)(0, "")

        return opened

    def _mkdir(self, arguments):
        place = self._place(self._paths(arguments)[0])
        return place and (lambda result, _: result or place[0].set(place[1], Folder()))

    _mkdirat = _mkdir

    def _link(self, arguments):
        old, new = self._paths(arguments)[:2]
        node, place = self._at(old), self._place(new)
        return node and place and (lambda result, _: result or place[0].set(place[1], node))

    _linkat = _link

    def _rename(self, arguments):
        old, new = self._paths(arguments)[:2]
        node, source, target = self._at(old), self._place(old), self._place(new)

        def renamed(result, _):
            if result == 0:
                source[0].set(source[1], None)
                target[0].set(target[1], node)

        return renamed if node and source and target else None

    _renameat = _renameat2 = _rename

    def _unlink(self, arguments):
        place = self._place(self._paths(arguments)[0])
        return place and (lambda result, _: result or place[0].set(place[1], None))

    _unlinkat = _unlink

    def _pwrite64(self, arguments):
        file = self._of_descriptor(arguments)
        if not isinstance(file, File):
            return None
        data = _text(re.search(r'"((?:\\x[0-9a-f]{2})*)"', arguments)[1])
        offset = int(re.search(r'", \d+, (\d+)', arguments)[1])
        return self._written(file, offset, data)

    def _write(self, arguments):
        file = self._of_descriptor(arguments)
        if not isinstance(file, File):
            return None
        data = _text(re.search(r'"((?:\\x[0-9a-f]{2})*)"', arguments)[1])
        return self._written(file, file.length, data)  # our own files are written from their end on

    @staticmethod
    def _written(file, offset, data):
        write = Write(offset, data)
        file.on_the_way.append(write)
        file.length = max(file.length, offset + len(data))

        def done(result, _):
            if 0 <= result < len(data):
                raise NotModelledError("a write that was cut short")
            write.done = True

        return done

    def _ftruncate(self, arguments):
        file = self._of_descriptor(arguments)
        if not isinstance(file, File):
            return None
        return self._cut(file, int(re.search(r">, (\d+)", arguments)[1]))

    @staticmethod
    def _cut(file, length):
        write = Write(length, None)
        file.on_the_way.append(write)
        file.length = length

        def done(*_):
            write.done = True

        return done

    def _fsync(self, arguments):
        found = _FIRST_FD.match(arguments)
        path = _text(found[2]).decode("utf-8", "replace")
        node = self._at(path)
        if node is None or (self.deaf and path.endswith(self.deaf)):
            return None
        if isinstance(node, Folder):
            covered = list(node.on_the_way)
        else:
            covered = [write for write in node.on_the_way if write.done]

        def synced(result, _):
            if result == 0:
                _settle(node, covered)

        return synced

    _fdatasync = _fsync

    # ---- after the cut

    def lay_out(self, target, chance, rng):
        """Write down what is left after a cut now; what was not synced is there by this chance."""
        _lay_out(self.top, target, chance, rng)


def _settle(node, covered):
    ids = {id(one) for one in covered}
    rest = [one for one in node.on_the_way if id(one) not in ids]
    if isinstance(node, Folder):
        node.kept.update(covered)
    else:
        for write in covered:
            if write.data is None:
                _to_length(node.kept, write.offset)
            else:
                _put(node.kept, write.offset, write.data)
    node.on_the_way = rest


def _lay_out(folder, target, chance, rng):
    target.mkdir(exist_ok=True)
    for name, node in folder.survives(chance, rng).items():
        if isinstance(node, Folder):
            _lay_out(node, target / name, chance, rng)
        elif name.endswith("-shm"):
            (target / name).write_bytes(rng.randbytes(32768))
        else:
            (target / name).write_bytes(node.survives(chance, rng))
