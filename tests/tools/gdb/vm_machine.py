"""The machine that gdb is joined to: its physical memory, and what lies where.

Addresses follow arch/x86_64/layout.h and pte.h; structures follow the image's
debug information, so they need no list here.
"""

import contextlib

import gdb

PAGE_SHIFT = 12
PAGE_SIZE = 1 << PAGE_SHIFT
ENTRY_COUNT = 512

# arch/x86_64/layout.h
SLICE_SHIFT = 37
PROCESS_END = 0x0000800000000000
DIRECT_BASE = 0xffff800000000000
DIRECT_END = 0xffffc00000000000
KERNEL_BASE = 0xffffffffc0000000
KERNEL_PHYS_BASE = 0x100000
KERNEL_PHYS_LIMIT = 0x800000

# arch/x86_64/pte.h
PTE_PRESENT = 0x001
PTE_LARGE = 0x080
PTE_FRAME_MASK = 0x000ffffffffff000

PFN_NONE = 0xffffffff
CR0_PAGING = 1 << 31


class Problem(Exception):
    """What is told to whoever typed the command, in a sentence."""


def entry_index(address, level):
    """Which entry of a table of the level an address has."""
    return address >> (PAGE_SHIFT + 9 * (level - 1)) & (ENTRY_COUNT - 1)


def register(name):
    """A register of the selected CPU, as 64 bits without sign."""
    return int(gdb.parse_and_eval("$" + name).cast(unsigned_long())) & ((1 << 64) - 1)


def unsigned_long():
    """The type of a register's bits."""
    return gdb.lookup_type("unsigned long")


@contextlib.contextmanager
def selection_kept():
    """Whatever CPUs are looked at meanwhile, the selected one and its frame stay selected."""
    thread = gdb.selected_thread()
    try:
        frame = gdb.selected_frame()
    except gdb.error:
        frame = None
    try:
        yield
    finally:
        thread.switch()
        if frame is not None and frame.is_valid():
            frame.select()


@contextlib.contextmanager
def language_c():
    """Types and expressions are C's, also while the selected CPU is in assembly."""
    language = gdb.parameter("language")
    gdb.execute("set language c", to_string=True)
    try:
        yield
    finally:
        gdb.execute(f"set language {language}", to_string=True)


def offset_of(kind, path):
    """Bytes from the beginning of a structure to a field, as "page.address"."""
    offset = 0
    for name in path.split("."):
        field = field_of(kind, name)
        offset += field[0]
        kind = field[1]
    return offset


def field_of(kind, name):
    """Offset and type of a field; those of anonymous structures and unions count too."""
    for field in kind.strip_typedefs().fields():
        if field.name == name:
            return field.bitpos // 8, field.type
        if not field.name or field.name.startswith("<anonymous"):
            try:
                offset, found = field_of(field.type, name)
            except KeyError:
                continue
            return field.bitpos // 8 + offset, found
    raise KeyError(f"{kind} has no field {name}")


class Machine:
    """Lives for one command: what was read is kept, as the machine stands still."""

    def __init__(self):
        inferior = gdb.selected_inferior()
        if not inferior.threads() or not hasattr(inferior.connection, "send_packet"):
            raise Problem("gdb is not joined to a quire: `make attach` joins one that runs, "
                          "`make debug` starts one")
        if any(thread.is_running() for thread in inferior.threads()):
            raise Problem("the machine runs: stop it first (Ctrl-C, or `interrupt`)")
        if gdb.selected_thread() is None:
            inferior.threads()[-1].switch()
        self.inferior = inferior
        self.pages = {}

    # ---- Memory ------------------------------------------------------------------

    def _fetch(self, address, size):
        """Reads physical memory through QEMU's gdb stub."""
        connection = self.inferior.connection
        if connection.send_packet("Qqemu.PhyMemMode:1") != b"OK":
            raise Problem("what gdb is joined to cannot read physical memory (QEMU can)")
        try:
            return bytes(self.inferior.read_memory(address, size))
        finally:
            connection.send_packet("Qqemu.PhyMemMode:0")

    def physical_end(self):
        """The end of RAM as far as quire has found it; until then, of its image."""
        address = self.variable("frame_init", "frame_memory").address
        offset = offset_of(gdb.lookup_type("struct frame_memory"), "ram_end")
        found = self._fetch(int(address) + offset - KERNEL_BASE, 8)
        return max(int.from_bytes(found, "little"), KERNEL_PHYS_LIMIT)

    def physical(self, address, size):
        """Bytes of RAM. What is not RAM might be a device, which reading would disturb."""
        if "end" not in self.pages:
            self.pages["end"] = self.physical_end()
        if address + size > self.pages["end"]:
            raise Problem(f"physical address {address:#x} is beyond the machine's RAM")
        first = address & -PAGE_SIZE
        end = address + size + PAGE_SIZE - 1 & -PAGE_SIZE
        missing = [at for at in range(first, end, PAGE_SIZE) if at not in self.pages]
        if missing:
            start = missing[0]
            data = self._fetch(start, missing[-1] + PAGE_SIZE - start)
            for at in range(0, len(data), PAGE_SIZE):
                self.pages[start + at] = data[at:at + PAGE_SIZE]
        data = b"".join(self.pages[at] for at in range(first, end, PAGE_SIZE))
        return data[address - first:address - first + size]

    def to_physical(self, address):
        """Where an address of the kernel half lies, whatever a CPU has loaded."""
        if KERNEL_BASE <= address < KERNEL_BASE + KERNEL_PHYS_LIMIT:
            return address - KERNEL_BASE
        if DIRECT_BASE <= address < DIRECT_END:
            return address - DIRECT_BASE
        level, entry = 0, 0
        if address >= PROCESS_END:
            *_, (level, entry) = self.walk(self.kernel_root(), address)
        if not entry & PTE_PRESENT:
            raise Problem(f"address {address:#x} is not mapped in the kernel")
        inside = (1 << PAGE_SHIFT + 9 * (level - 1)) - 1
        return (entry & PTE_FRAME_MASK & ~inside) + (address & inside)

    def memory(self, address, size):
        """Bytes at an address of the kernel half."""
        data = b""
        while len(data) < size:
            at = address + len(data)
            # The direct map and the image are in one piece, stacks are not.
            stop = size if at < DIRECT_END or at >= KERNEL_BASE else -at % PAGE_SIZE or PAGE_SIZE
            data += self.physical(self.to_physical(at), min(stop, size - len(data)))
        return data

    def walk(self, root, address):
        """Pairs of level and entry's bits, from the root to the page or what is in its place."""
        table = root
        for level in (4, 3, 2, 1):
            at = (table & PTE_FRAME_MASK) + 8 * entry_index(address, level)
            entry = int.from_bytes(self.physical(at, 8), "little")
            yield level, entry
            if not entry & PTE_PRESENT or level > 1 and entry & PTE_LARGE:
                return
            table = entry

    # ---- Structures --------------------------------------------------------------

    def at(self, address, kind):
        """The structure of a type (or its name) at an address of the kernel half."""
        if isinstance(kind, str):
            kind = gdb.lookup_type(kind)
        return gdb.Value(self.memory(int(address), kind.sizeof), kind)

    def pointed(self, pointer):
        """What a pointer in a structure points at; None for NULL."""
        return self.at(pointer, pointer.type.target()) if int(pointer) else None

    def variable(self, function, name):
        """The variable that the file of a function calls so. Lazy: for its type and address."""
        symbol = gdb.lookup_global_symbol(function) or gdb.lookup_static_symbol(function)
        if symbol is None:
            raise Problem("gdb has no symbols of quire: `file build/quire.elf` reads them")
        block = symbol.symtab.static_block()
        found = gdb.lookup_symbol(name, block)[0]
        if found is None:
            raise Problem(f"{symbol.symtab.filename} has no variable '{name}'")
        return found.value()

    def get(self, function, name):
        """The same, read now."""
        lazy = self.variable(function, name)
        return self.at(lazy.address, lazy.type)

    def string(self, pointer):
        """A C string in the image."""
        text = self.memory(int(pointer), 64)
        return text.split(b"\0", 1)[0].decode("ascii", "replace")

    def list(self, head, link, limit):
        """The structures on a TAILQ, by their addresses."""
        kind = head["tqh_first"].type.target()
        offset = offset_of(kind, link)
        at = int(head["tqh_first"])
        for _ in range(limit):
            if not at:
                return
            yield at
            at = int.from_bytes(self.memory(at + offset, 8), "little")
        if at:
            raise Problem(f"a list of {kind} has more than {limit} elements, or is a circle")

    # ---- quire -------------------------------------------------------------------

    def need_boot(self):
        """Most of what can be told exists only from boot_memory_init() on."""
        if not self.frame_limit():
            raise Problem("not booted yet: quire has not made its frame descriptors "
                          "(`continue`, then Ctrl-C, or `tbreak monitor_run`)")

    def kernel_root(self):
        """Physical address of the kernel's own level-4 table."""
        root = int(self.get("address_space_load", "tlb_kernel_root"))
        if not root:
            raise Problem("not booted yet: quire has not made its page tables")
        return root

    def frames(self):
        """Where the descriptors are."""
        return int(gdb.parse_and_eval("(unsigned long)&frames"))

    def frame_limit(self):
        """The first frame number without a descriptor."""
        return int(self.get("frame_init", "frame_limit"))

    def frame_kind(self):
        """The type of a frame's descriptor."""
        return gdb.lookup_type("struct frame")

    def frame_at(self, pfn):
        """A frame's descriptor; None where there is none."""
        if pfn >= self.frame_limit():
            return None
        kind = self.frame_kind()
        return self.at(self.frames() + pfn * kind.sizeof, kind)

    def linked_pfn(self, link):
        """The frame that a link of a list names, half an address or a whole one; or none."""
        low = int(link) & 0xffffffff
        return (low - (self.frames() & 0xffffffff)) // self.frame_kind().sizeof if low else PFN_NONE

    def processes(self):
        """The processes in the table, by PID."""
        table = self.get("process_find_locked", "process_table")
        found = [self.pointed(table["slots"][slot]) for slot in range(int(table["highest"]) + 1)
                 if int(table["slots"][slot])]
        return sorted(found, key=lambda process: int(process["pid"]))

    def process(self, pid):
        """A process that exists."""
        for process in self.processes():
            if int(process["pid"]) == pid:
                return process
        raise Problem(f"there is no process {pid} (`vm ps` lists them)")

    def pids(self):
        """PIDs by slot."""
        return {int(process["slot"]): int(process["pid"]) for process in self.processes()}

    # ---- CPUs --------------------------------------------------------------------

    def cpu_here(self):
        """The struct cpu that the selected CPU's GS base points at, or None."""
        array = self.variable("cpu_init", "cpus")
        offset = register("gs_base") - int(array.address)
        kind = array.type.target()
        if offset < 0 or offset >= array.type.sizeof or offset % kind.sizeof:
            return None
        return self.at(int(array.address) + offset, kind)

    def cpus(self):
        """For each CPU that has begun: gdb's thread, the struct cpu, its stack pointer."""
        found = []
        with selection_kept():
            for thread in sorted(self.inferior.threads(), key=lambda one: one.num):
                thread.switch()
                gdb.newest_frame().select()
                cpu = self.cpu_here()
                if cpu is not None:
                    found.append((thread, cpu, register("rsp")))
        return found
