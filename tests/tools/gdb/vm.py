"""The gdb commands that read quire's structures: `help vm`.

They change nothing in the machine, run none of its code, and read its physical
memory by themselves: what they print does not depend on which CPU gdb has
selected, or on which page table that CPU has loaded.

    vm.py           the commands' names, arguments and help
    vm_machine.py   the machine: physical memory, addresses, structures, CPUs
    vm_pages.py     pt, frames, frame, lru, swap
    vm_threads.py   ps, bt
    vm_locks.py     locks
    vm_image.py     image, boot

Python's standard library and gdb 13 are enough.
"""

import os
import sys

import gdb

_FOLDER = os.path.dirname(os.path.abspath(__file__))
if _FOLDER not in sys.path:
    sys.path.insert(0, _FOLDER)
sys.dont_write_bytecode = True

import vm_image
import vm_locks
import vm_pages
import vm_threads
from vm_machine import Machine, Problem, language_c


class Prefix(gdb.Command):
    """Reads quire's structures: page tables, frames, swap, threads, locks.

Numbers may be any expression: `vm pt $cr2`, `vm frame frame_limit - 1`.
Nothing in the machine is changed, and any CPU may be the selected one.
A process is named by its PID, a thread by its TID: `vm ps` lists them."""

    def __init__(self):
        super().__init__("vm", gdb.COMMAND_DATA, gdb.COMPLETE_NONE, True)

    def invoke(self, argument, from_tty):
        """`vm` alone, or with what is none of its commands."""
        if argument:
            raise gdb.GdbError(f"vm: there is no command '{argument}'; `help vm` lists them")
        gdb.execute("help vm")


def number(text, what):
    """The value of an expression as 64 bits without sign."""
    try:
        value = gdb.parse_and_eval(text)
        if value.type.strip_typedefs().code in (gdb.TYPE_CODE_FUNC, gdb.TYPE_CODE_ARRAY):
            value = value.address
        if value.type.strip_typedefs().code == gdb.TYPE_CODE_FLT:
            raise Problem(f"{what}: '{text}' is not a whole number")
        value = int(value)
    except (gdb.error, OverflowError) as error:
        raise Problem(f"{what}: '{text}' is not a number: {error}")
    if not -(1 << 63) <= value < 1 << 64:
        raise Problem(f"{what}: '{text}' does not fit into 64 bits")
    return value & ((1 << 64) - 1)


class Subcommand(gdb.Command):
    """One of the commands: its help is the docstring of the class below."""

    arguments = ""  # as in its usage line; [X] may be missing

    def __init__(self):
        self.name = "vm " + type(self).__name__.lower()
        super().__init__(self.name, gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def numbers(self, text):
        """The arguments' values, None for those missing."""
        names = self.arguments.split()
        words = gdb.string_to_argv(text)
        least = sum(not name.startswith("[") for name in names)
        if not least <= len(words) <= len(names):
            raise Problem(f"usage: {self.name} {self.arguments}".rstrip())
        values = [number(word, name.strip("[]")) for word, name in zip(words, names)]
        return values + [None] * (len(names) - len(values))

    def invoke(self, argument, from_tty):
        """Called by gdb. Whatever goes wrong is a line of error."""
        try:
            with language_c():
                values = self.numbers(argument)
                for line in self.run(Machine(), *values):
                    gdb.write(line + "\n")
        except Problem as error:
            raise gdb.GdbError(f"{self.name}: {error}")
        except gdb.error as error:
            raise gdb.GdbError(f"{self.name}: {error}")
        except (LookupError, ValueError, TypeError, AttributeError) as error:
            raise gdb.GdbError(f"{self.name}: what is in memory makes no sense, or the image "
                               f"is not the one gdb reads ({type(error).__name__}: {error})")


class Pt(Subcommand):
    """The page-table walk of one address, a line a level.
Usage: vm pt ADDR [PID]

In the address space of PID; without one, in that which the selected CPU has
loaded, or, if that is the kernel's own, of the process in whose slice ADDR lies.
An entry that is not present is of the kind: none, untouched, resting (in a frame,
not mapped), transit (being read in), or swapped (in a slot, of a generation).
The last line tells of the frame or the slot."""

    arguments = "ADDR [PID]"
    run = staticmethod(vm_pages.walk)


class Frames(Subcommand):
    """Frames of RAM by state and owner.
Usage: vm frames"""

    run = staticmethod(vm_pages.census)


class Frame(Subcommand):
    """One frame's descriptor, and for a page of a process the entry that names it.
Usage: vm frame PFN

Of the frame of that number, or in which the bytes at that address of the direct map are."""

    arguments = "PFN"
    run = staticmethod(vm_pages.frame)


class Lru(Subcommand):
    """Resident pages in the present policy's order, next victim first.
Usage: vm lru [COUNT]

Lines of PID ADDR PFN AGE, COUNT of them (32). AGE counts the pages that became
resident or were found in use since this one was."""

    arguments = "[COUNT]"
    run = staticmethod(vm_pages.lru)


class Swap(Subcommand):
    """The swap disk: counts, and 16 used slots from SLOT (0) on.
Usage: vm swap [SLOT]

SUM is the checksum that the slot's bytes must have, GENERATION how often the slot
was given out; a slot that was not written in this generation has no sum."""

    arguments = "[SLOT]"
    run = staticmethod(vm_pages.swap)


class Ps(Subcommand):
    """Processes, and all threads: their state, their CPU, and where they are.
Usage: vm ps

CPU is where a thread runs or ran last. A thread without a PID is the kernel's own."""

    run = staticmethod(vm_threads.ps)


class Bt(Subcommand):
    """Backtraces of the threads of a process, running or not.
Usage: vm bt PID [TID]

PID 0 stands for the kernel's own threads; TID chooses one thread."""

    arguments = "PID [TID]"
    run = staticmethod(vm_threads.backtraces)


class Locks(Subcommand):
    """Locks, outermost class first: who holds them, how often somebody had to wait.
Usage: vm locks

Then each lock that is held or waited for, by name: those in variables, those of
processes, those of page tables. Debug builds tell for whom a spinlock was taken."""

    run = staticmethod(vm_locks.locks)


class Image(Subcommand):
    """Whether the image in memory is the one gdb reads; `make attach` begins with it.
Usage: vm image"""

    run = staticmethod(vm_image.compare)


class Boot(Subcommand):
    """Goes to quire's first instruction; `make debug` begins with it.
Usage: vm boot

The machine begins in its firmware. boot.S runs where it was loaded, not where it is
linked, so its symbols are added there too. It is 32-bit code: trust the source lines
and stepi, not x/i."""

    run = staticmethod(vm_image.boot)


Prefix()
for command in Subcommand.__subclasses__():
    command()
