"""Threads: ps, bt.

A thread that does not run has its registers on its own stack (switch.S). gdb is
told so by an unwinder: it claims that whoever called the selected CPU's innermost
frame is that thread. So gdb's own unwinding goes on from there, by the image's
debug information, and no register of the machine is written.
"""

import contextlib

import gdb
import gdb.unwinder

import vm_pages
from vm_machine import Problem, register, selection_kept, unsigned_long

THREAD_LIMIT = 8192  # THREAD_MAX in kernel/config.h
SAVED = ("r15", "r14", "r13", "r12", "rbp", "rbx", "rip")  # as context_switch() pushes them

# How a thread goes to sleep; where it sleeps is who called these.
SCHEDULER = ("context_switch", "sched_switch", "sched_preempt", "wait_queue_sleep",
             "wait_queue_sleep_locked", "thread_yield")


class Sleeper(gdb.unwinder.Unwinder):
    """Continues the selected CPU's innermost frame with a thread's saved registers."""

    def __init__(self):
        super().__init__("quire-sleeper")
        self.enabled = False
        self.registers = None
        self.here = None

    def __call__(self, pending):
        if not self.enabled or int(pending.read_register("rsp")) & (1 << 64) - 1 != self.here:
            return None
        identity = FrameIdentity(self.registers["rsp"] - 8, self.registers["rip"])
        info = pending.create_unwind_info(identity)
        for name, value in self.registers.items():
            info.add_saved_register(name, gdb.Value(value).cast(unsigned_long()))
        return info


class FrameIdentity:
    """Names a frame: gdb wants one that lies below its caller on the stack."""

    def __init__(self, sp, pc):
        self.sp = gdb.Value(sp).cast(unsigned_long())
        self.pc = gdb.Value(pc).cast(unsigned_long())


sleeper = Sleeper()
gdb.unwinder.register_unwinder(None, sleeper, replace=True)


@contextlib.contextmanager
def unwound(registers):
    """Meanwhile gdb's frames are those of a sleeping thread, after some of the CPU's own.

    Yields how many frames come before, and the thread's innermost frame.
    """
    with selection_kept():
        gdb.newest_frame().select()
        sleeper.here = register("rsp")
        sleeper.registers = registers
        sleeper.enabled = True
        try:
            gdb.invalidate_cached_frames()
            level, frame = 0, gdb.newest_frame()
            while frame is not None and int(frame.read_register("rsp")) & (1 << 64) - 1 == \
                    sleeper.here:
                level, frame = level + 1, frame.older()
            if frame is None:
                raise Problem("gdb cannot unwind this stack")
            yield level, frame
        finally:
            sleeper.enabled = False
            gdb.invalidate_cached_frames()


# ---- Threads ---------------------------------------------------------------------

class Thread:
    """A thread of quire's, with the gdb thread whose CPU executes it, if one does."""

    def __init__(self, machine, address, executing):
        self.machine = machine
        self.value = machine.at(address, "struct thread")
        self.tid = int(self.value["tid"])
        self.name = self.value["name"].string()
        self.state = str(self.value["state"]).removeprefix("THREAD_").lower()
        self.cpu = int(self.value["cpu"])
        self.gdb_thread = executing.get(address)
        if self.state == "running" and self.gdb_thread is None:
            self.state = "idle"  # an idle thread whose CPU does something else stays RUNNING
        process = machine.pointed(self.value["process"])
        self.pid = int(process["pid"]) if process is not None else 0

    def saved(self):
        """The registers on its stack, as they were when it was switched away from."""
        pointer = int(self.value["stack_pointer"])
        top = int(self.value["stack_top"])
        if not int(self.value["stack_base"]) <= pointer <= top - 8 * len(SAVED):
            raise Problem(f"thread {self.tid}: the stack pointer saved, {pointer:#x}, is not in "
                          "its stack")
        words = memoryview(self.machine.memory(pointer, 8 * len(SAVED))).cast("Q")
        return dict(zip(SAVED, words), rsp=pointer + 8 * len(SAVED))

    def is_new(self):
        """Has it never run? Then its stack is as context_prepare() built it."""
        return self.gdb_thread is None and function_at(self.saved()["rip"]) == "context_start"

    def begins_in(self):
        """The function that it will run, or began in."""
        return function_at(int(self.value["body"]) or int(self.value["entry"]))

    @contextlib.contextmanager
    def frames(self):
        """As unwound(), for a thread that executes, too."""
        if self.gdb_thread is None:
            with unwound(self.saved()) as found:
                yield found
        else:
            with selection_kept():
                self.gdb_thread.switch()
                yield 0, gdb.newest_frame()

    def where(self):
        """Function and line, those of the scheduler left out."""
        if self.is_new():
            return f"has not run yet: begins in {self.begins_in()}"
        with self.frames() as (_, frame):
            while frame.name() in SCHEDULER and frame.older() is not None:
                frame = frame.older()
            line = frame.find_sal()
            if line.symtab is None:
                return frame.name() or f"{frame.pc():#x}"
            return f"{frame.name()} at {line.symtab.filename.removeprefix('./')}:{line.line}"

    def backtrace(self):
        """gdb's own, from the thread's innermost frame on."""
        if self.is_new():
            return [f"has not run yet: begins in {self.begins_in()}"]
        with self.frames() as (skipped, _):
            said = gdb.execute("backtrace", to_string=True).splitlines()
        lines = []
        for line in said:
            if line.startswith("#"):
                level, rest = line[1:].split(maxsplit=1)
                if int(level) < skipped:
                    continue
                line = f"#{int(level) - skipped:<3}{rest}"
            if line.startswith(("#", "Backtrace stopped")):
                lines.append(line)
        return lines


def function_at(address):
    """The name of the function at an address of the image."""
    block = gdb.block_for_pc(address)
    while block is not None and block.function is None:
        block = block.superblock
    if block is not None:
        return block.function.name
    said = gdb.execute(f"info symbol {address:#x}", to_string=True)
    return said.split()[0] if not said.startswith("No symbol") else f"{address:#x}"


def executing_threads(machine, addresses):
    """Which gdb thread executes which thread of quire's: by the stack it stands on."""
    kind = gdb.lookup_type("struct thread")
    stacks = {}
    for address in addresses:
        value = machine.at(address, kind)
        stacks[address] = range(int(value["stack_base"]), int(value["stack_top"]) + 1)
    executing = {}
    for gdb_thread, cpu, stack_pointer in machine.cpus():
        on = [address for address, stack in stacks.items() if stack_pointer in stack]
        # On a stack of the CPU's own (double fault, NMI): the thread it interrupted.
        on = on or [int(cpu["current"])]
        executing[on[0]] = gdb_thread
    return executing


def threads(machine):
    """All threads alive, by TID."""
    machine.need_boot()
    scheduler = machine.get("sched_init", "sched")
    addresses = list(machine.list(scheduler["all"], "all.tqe_next", THREAD_LIMIT))
    executing = executing_threads(machine, addresses)
    return sorted((Thread(machine, address, executing) for address in addresses),
                  key=lambda thread: thread.tid)


# ---- Commands --------------------------------------------------------------------

def process_line(machine, process):
    """As the console's `ps`."""
    state = str(process["state"])
    names = {"PROCESS_ENDING": "ending", "PROCESS_ZOMBIE": "dead"}
    resident = swapped = committed = 0
    if state == "PROCESS_RUNNING":
        resident, swapped = vm_pages.usage(machine, int(process["vmap"]["space"]["root"]))
        committed = int(process["vmap"]["committed"])
    return (f"{int(process['pid']):5} {names.get(state, 'running'):<7} "
            f"{int(process['thread_count']):7} {resident:9} {swapped:9} {committed:9} "
            f"{process['name'].string()}")


def ps(machine):
    """vm ps"""
    found = threads(machine)
    yield f"{'PID':>5} {'STATE':<7} {'THREADS':>7} {'RESIDENT':>9} {'SWAPPED':>9} " \
          f"{'COMMITTED':>9} NAME"
    for process in machine.processes():
        yield process_line(machine, process)
    yield ""
    yield f"{'TID':>5} {'PID':>5} {'STATE':<7} {'CPU':>3} {'NAME':<12} WHERE"
    for thread in found:
        yield f"{thread.tid:5} {thread.pid or '-':>5} {thread.state:<7} {thread.cpu:3} " \
              f"{thread.name:<12} {where_or_why(thread)}"


def where_or_why(thread):
    """A thread whose stack cannot be read does not hide the others."""
    try:
        return thread.where()
    except (Problem, gdb.error) as error:
        return f"? ({error})"


def backtraces(machine, pid, tid):
    """vm bt"""
    found = threads(machine)
    if pid:
        machine.process(pid)
    chosen = [thread for thread in found
              if thread.pid == pid and tid in (None, thread.tid)]
    whose = f"process {pid}" if pid else "the kernel itself"
    if not chosen:
        which = "thread any more" if tid is None else f"thread {tid} (`vm ps` lists them)"
        raise Problem(f"{whose} has no {which}")
    for thread in chosen:
        place = f"last on cpu {thread.cpu}" if thread.gdb_thread is None else \
            f"on cpu {thread.cpu} (gdb's thread {thread.gdb_thread.num})"
        yield f"thread {thread.tid} {thread.name} {thread.state} {place}"
        yield from thread.backtrace()
