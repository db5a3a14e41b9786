"""Locks: who holds them, how often somebody had to wait.

Locks in variables are found by their type, wherever the debug information has
one, so a new lock needs no word here. Beside them there are those of processes
and those of page tables.
"""

import re

import gdb

import vm_threads
from vm_machine import Problem, offset_of

MUTEX_WAITED = 1  # kernel/sched/mutex.h
LOCK_TYPES = ("struct spinlock", "struct mutex")

_found = {}  # places of locks in variables, by the image they are of


def class_names(machine):
    """The names of the classes, outermost first."""
    table = machine.get("lock_class_name", "class_names")
    low, high = table.type.range()
    return [machine.string(table[index]) for index in range(low, high + 1)]


# ---- Where locks are -------------------------------------------------------------

def variable_names():
    """Pairs of file and name, of all variables in the image."""
    file = None
    for line in gdb.execute("info variables -q", to_string=True).splitlines():
        if line.startswith("File "):
            file = line[5:].rstrip(":")
        elif line.startswith("Non-debugging"):
            return
        else:
            # "36:	static struct thing name[2];", or the last line of "36:	static struct {"
            name = re.match(r"(?:\d+:.*struct.*|\}.*)\b(\w+)(?:\[\d*\])*;$", line)
            if file and name:
                yield file, name[1]


def places_in(kind, name):
    """Locks inside a type: name, offset and type of each."""
    kind = kind.strip_typedefs()
    if str(kind.unqualified()) in LOCK_TYPES:
        yield name, 0, kind
    elif kind.code == gdb.TYPE_CODE_STRUCT:
        for field in kind.fields():
            for inner, offset, found in places_in(field.type, f"{name}.{field.name}"):
                yield inner, field.bitpos // 8 + offset, found
    elif kind.code == gdb.TYPE_CODE_ARRAY and \
            kind.target().strip_typedefs().code == gdb.TYPE_CODE_STRUCT:
        low, high = kind.range()
        for inner, offset, found in places_in(kind.target(), ""):
            for index in range(low, high + 1):
                yield f"{name}[{index}]{inner}", index * kind.target().sizeof + offset, found


def variable_places():
    """Locks in variables: name, address and type of each. Searched for once."""
    image = gdb.current_progspace().filename
    key = image, len(gdb.objfiles())
    if key not in _found:
        places = {}
        for file, name in variable_names():
            try:
                variable = gdb.parse_and_eval(f"'{file}'::{name}")
            except gdb.error:
                continue  # optimised away
            if variable.address is None:
                continue
            for inner, offset, kind in places_in(variable.type, name):
                address = int(variable.address) + offset
                places[address] = inner, address, kind
        _found[key] = list(places.values())
    return _found[key]


def process_places(machine):
    """The locks in the records of processes."""
    kind = gdb.lookup_type("struct process")
    inside = list(places_in(kind, ""))
    table = machine.get("process_find_locked", "process_table")
    for slot in range(int(table["highest"]) + 1):
        base = int(table["slots"][slot])
        if base:
            pid = int(machine.at(base, kind)["pid"])
            for name, offset, found in inside:
                yield f"pid {pid}{name}", base + offset, found


def table_places(machine):
    """Locks of page tables that are held: all others are left out here."""
    kind = machine.frame_kind()
    size, base = kind.sizeof, machine.frames()
    data = machine.memory(base, machine.frame_limit() * size)
    wanted = int(gdb.parse_and_eval("(int)FRAME_PAGE_TABLE"))
    states = data[offset_of(kind, "state")::size]
    owner = offset_of(kind, "table.lock.owner")
    for pfn, state in enumerate(states):
        at = pfn * size
        if state == wanted and any(data[at + owner:at + owner + 4]):
            yield f"table of pfn {pfn}", base + at + offset_of(kind, "table.lock"), \
                gdb.lookup_type("struct spinlock")


# ---- Who holds them --------------------------------------------------------------

def callers(machine):
    """Debug builds: who called the function that took each spinlock held, by its address."""
    try:
        held = machine.get("lock_class_name", "held")
    except Problem:
        return {}
    found = {}
    low, high = held.type.range()
    for cpu in range(low, high + 1):
        for index in range(min(int(held[cpu]["count"]), 8)):
            lock = held[cpu]["locks"][index]
            found[int(lock["lock"])] = int(lock["caller"])
    return found


def line_at(address):
    """ "function at file:line" for an address that a call returns to. """
    line = gdb.find_pc_line(address - 1)
    name = vm_threads.function_at(address - 1)
    return f"{name} at {line.symtab.filename.removeprefix('./')}:{line.line}" \
        if line.symtab else name


class Lock:
    """A lock, and in words who holds it: None if nobody does."""

    def __init__(self, machine, place, names, taken):
        self.name, address, kind = place
        value = machine.at(address, kind)
        number = int(value["lock_class"])
        self.lock_class = names[number] if number < len(names) else f"class {number}"
        owner = int(value["owner"])
        self.holder = None
        if str(kind.unqualified()) == "struct spinlock":
            if owner:
                self.holder = f"cpu {owner - 1}"
                if address in taken:
                    self.holder += f", taken in a call from {line_at(taken[address])}"
        elif owner & ~MUTEX_WAITED:
            self.holder = mutex_holder(machine, value)


def thread_text(machine, address):
    """A thread in words."""
    thread = machine.at(address, "struct thread")
    return f"thread {int(thread['tid'])} {thread['name'].string()}"


def mutex_holder(machine, mutex):
    """Who owns a mutex, and who waits for it."""
    text = thread_text(machine, int(mutex["owner"]) & ~MUTEX_WAITED)
    waiting = [thread_text(machine, at) for at in
               machine.list(mutex["waiters"]["threads"], "link.tqe_next", vm_threads.THREAD_LIMIT)]
    return text + (f", waited for by {', '.join(waiting)}" if waiting else "")


def locks(machine):
    """vm locks"""
    machine.need_boot()
    names = class_names(machine)
    taken = callers(machine)
    contended = machine.get("lock_class_name", "lock_contended")
    places = variable_places() + list(process_places(machine)) + list(table_places(machine))
    found = [Lock(machine, place, names, taken) for place in places]
    held = [lock for lock in found if lock.holder]
    yield f"{'CLASS':<14} {'CONTENDED':>9} {'HELD':>5}"
    for index, name in enumerate(names):
        count = sum(lock.lock_class == name for lock in held)
        yield f"{name:<14} {int(contended[index]):9} {count:5}"
    for lock in sorted(held, key=lambda lock: names.index(lock.lock_class)
                       if lock.lock_class in names else len(names)):
        yield f"{lock.name} ({lock.lock_class}): {lock.holder}"
