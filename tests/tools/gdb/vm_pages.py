"""Pages: pt, frames, frame, lru, swap."""

import collections

import gdb

from vm_machine import (CR0_PAGING, DIRECT_BASE, DIRECT_END, ENTRY_COUNT, KERNEL_BASE, PAGE_SHIFT,
                        PAGE_SIZE, PFN_NONE, PROCESS_END, PTE_FRAME_MASK, PTE_LARGE, PTE_PRESENT,
                        SLICE_SHIFT, Problem, entry_index, offset_of, register)

# arch/x86_64/pte.h
PTE_KIND_MASK = 0x00e
KINDS = {0x002: "untouched", 0x004: "resting", 0x006: "transit", 0x008: "swapped",
         0x00a: "ask"}
PTE_SHARED = 0x200
PTE_COPY = 0x400
PTE_AWAY_READ_ONLY = 0x010
PTE_AWAY_IMAGE = 0x080
PRESENT_FLAGS = ((0x020, " accessed"), (0x040, " dirty"), (0x010, " uncached"), (0x100, " global"))
PTE_WRITABLE = 0x002
PTE_NO_EXECUTE = 1 << 63

# kernel/mm/frame.h
PAGE_FLAGS = ((0x01, "dirty"), (0x02, "listed"), (0x04, "evicting"), (0x08, "disowned"),
              (0x10, "tail"), (0x20, "touched"), (0x40, "flushed"), (0x80, "second"))
PAGE_EVICTING = 0x04
SLOT_NONE = 0xffffffff

LRU_COUNT = 32
SWAP_COUNT = 16


# ---- Entries ---------------------------------------------------------------------

def pfn_of(entry):
    """The frame number in an entry."""
    return (entry & PTE_FRAME_MASK) >> PAGE_SHIFT


def slot_of(entry):
    """Slot and generation in an entry of a page in swap."""
    return entry >> 12 & 0xffffffff, entry >> 44 & 0xffff


def kind_of(entry, level):
    """ "present", "none", or the kind of what is away. """
    if entry & PTE_PRESENT:
        return "present"
    if entry == 0:
        return "none"
    return KINDS.get(entry & PTE_KIND_MASK, "unknown") if level == 1 else "not present"


def entry_text(entry, level):
    """What an entry means, as the console's `pt` says it."""
    kind = kind_of(entry, level)
    if kind == "present":
        is_page = level == 1 or entry & PTE_LARGE
        access = " writable" if entry & PTE_WRITABLE else " read-only"
        execute = " executable" if is_page and not entry & PTE_NO_EXECUTE else ""
        flags = "".join(name for bit, name in PRESENT_FLAGS if entry & bit)
        if level == 1:
            flags += (" shared" if entry & PTE_SHARED else "") \
                + (" copy" if entry & PTE_COPY else "")
        return f"{'page' if is_page else 'table'} pfn {pfn_of(entry)}{access}{execute}{flags}"
    if kind in ("resting", "transit"):
        return f"{kind} pfn {pfn_of(entry)}"
    if kind == "ask":
        return f"ask mapping {entry >> 12 & 0xfffff}{' copy' if entry & PTE_COPY else ''}"
    if kind == "swapped":
        slot, generation = slot_of(entry)
        return f"swapped slot {slot} generation {generation}"
    return kind + (" image" if kind == "untouched" and entry & PTE_AWAY_IMAGE else "")


# ---- pt --------------------------------------------------------------------------

def process_root(process):
    """A process's level-4 table."""
    root = int(process["vmap"]["space"]["root"])
    if not root:
        raise Problem(f"process {int(process['pid'])} has no address space (any more)")
    return root, f"pid {int(process['pid'])} {process['name'].string()}"


def root_of(machine, address, pid):
    """Whose table is walked: its physical address, and a word on whose it is."""
    if pid is not None:
        machine.need_boot()
        return process_root(machine.process(pid))
    if not register("cr0") & CR0_PAGING:
        raise Problem("not booted yet: this CPU has not turned paging on")
    cpu = machine.cpu_here()
    loaded = register("cr3") & PTE_FRAME_MASK
    for process in machine.processes():
        space = process["vmap"]["space"]
        mine = cpu is not None and int(cpu["space"]) and int(space["root"]) == loaded
        if mine or loaded == int(machine.get("address_space_load", "tlb_kernel_root")) and \
                0 < address >> SLICE_SHIFT == int(process["slot"]):
            return process_root(process)
    return loaded, "the kernel's own"


def walk(machine, address, pid):
    """vm pt"""
    if PROCESS_END <= address < DIRECT_BASE:
        raise Problem(f"{address:#018x} is not canonical: no table has an entry for it")
    root, whose = root_of(machine, address, pid)
    yield f"root pfn {root >> PAGE_SHIFT}: {whose}"
    yield f"{'LEVEL':>5} {'INDEX':>5} {'ENTRY':<18} MEANING"
    for level, entry in machine.walk(root, address):
        index = entry_index(address, level)
        yield f"{level:5} {index:5} {entry:#018x} {entry_text(entry, level)}"
    if address < PROCESS_END:
        yield from leaf_lines(machine, level, entry)


def leaf_lines(machine, level, entry):
    """What is known of the frame or the slot that a process's entry names."""
    kind = kind_of(entry, level)
    if kind == "swapped":
        yield slot_text(machine, *slot_of(entry))
    elif kind in ("present", "resting", "transit"):
        descriptor = machine.frame_at(pfn_of(entry))
        if descriptor is not None:
            yield frame_text(machine, pfn_of(entry), descriptor)


def slot_text(machine, index, generation):
    """A slot in a line, and whether it is of the generation that the entry wants."""
    disk = machine.get("swap_write", "swap")
    if index >= int(disk["slot_count"]):
        return f"slot {index}: there is no such slot"
    slot = slot_at(machine, index)
    matches = "" if int(slot["generation"]) == generation else ", which is another one"
    return (f"slot {index}: generation {int(slot['generation'])}{matches}, "
            f"sum {int(slot['sum']):#018x}")


# ---- frames, frame ---------------------------------------------------------------

def state_name(state):
    """ "page-table" for FRAME_PAGE_TABLE. """
    return str(state).removeprefix("FRAME_").lower().replace("_", "-")


def state_names():
    """The names of all states, in order."""
    fields = gdb.lookup_type("enum frame_state").fields()
    return [state_name(field.name) for field in fields if field.name != "FRAME_STATE_COUNT"]


def flag_names(flags):
    """The flags of a private page, as words."""
    names = [name for bit, name in PAGE_FLAGS if flags & bit]
    if flags & PAGE_EVICTING:
        return names
    return ["ahead" if name == "disowned" else name for name in names]


def counts_by_owner(machine):
    """Frames by state and owner's slot (0 where the state has no owner)."""
    machine.need_boot()
    kind = machine.frame_kind()
    size = kind.sizeof
    data = machine.memory(machine.frames(), machine.frame_limit() * size)
    states = data[offset_of(kind, "state")::size]
    low = data[offset_of(kind, "owner")::size]
    high = data[offset_of(kind, "owner") + 1::size]
    names = state_names()
    owned = [name in ("private", "page-table") for name in names]
    counts = collections.Counter()
    for state, owner in zip(states, zip(low, high)):
        known = state < len(names)
        slot = owner[0] | owner[1] << 8 if known and owned[state] else 0
        counts[names[state] if known else f"state {state}", slot] += 1
    return counts


def census(machine):
    """vm frames"""
    counts = counts_by_owner(machine)
    pids = machine.pids()
    yield f"{'STATE':<10} {'PID':>5} {'FRAMES':>9}"
    for name in dict.fromkeys(state_names() + [state for state, _ in counts]):
        owned = sorted((pids[slot], count) for (state, slot), count in counts.items()
                       if state == name and slot in pids)
        rest = sum(count for (state, slot), count in counts.items()
                   if state == name and slot not in pids)
        for pid, count in owned:
            yield f"{name:<10} {pid:5} {count:9}"
        if rest or not owned and name not in ("private", "page-table"):
            yield f"{name:<10} {'-':>5} {rest:9}"


def owner_text(machine, slot):
    """Whose slot it is."""
    pid = machine.pids().get(slot)
    return f"pid {pid}" if pid is not None else "the kernel" if slot == 0 else f"slot {slot}"


def is_described(descriptor):
    """Has the frame a page? While one is on its way, the descriptor still tells of the last."""
    return {"listed", "evicting"} & set(flag_names(int(descriptor["flags"])))


def frame_text(machine, pfn, descriptor):
    """A descriptor in a line."""
    state = state_names()[int(descriptor["state"])]
    text = f"frame {pfn}: {state}"
    if state == "private" and not is_described(descriptor):
        text += ", not yet of anybody: a page is on its way into it"
    elif state == "private":
        page = descriptor["page"]
        flags = "".join(" " + name for name in flag_names(int(descriptor["flags"])))
        slot = int(descriptor["slot"])
        text += f" of {owner_text(machine, int(descriptor['owner']))}" \
                f" at {int(page['address']):#018x}{flags}" \
                + ("" if slot == SLOT_NONE else f" slot {slot}")
    elif state == "shared":
        page = descriptor["shared"]
        flags = "".join(" " + name for name in flag_names(int(descriptor["flags"])))
        text += f" page {int(page['index'])} of the object at {object_of(page):#018x}" \
                f" mapped {int(descriptor['map_count'])}{flags}"
    return text


def object_of(page):
    """The address of a shared page's object."""
    return DIRECT_BASE + (int(page["object"]) << PAGE_SHIFT)


def pfn_text(pfn):
    """A link to a frame."""
    return "none" if pfn == PFN_NONE else str(pfn)


def frame(machine, pfn):
    """vm frame"""
    machine.need_boot()
    if DIRECT_BASE <= pfn < DIRECT_END:
        pfn = (pfn - DIRECT_BASE) >> PAGE_SHIFT
    descriptor = machine.frame_at(pfn)
    if descriptor is None:
        raise Problem(f"{pfn} is not RAM: descriptors end before {machine.frame_limit()}")
    state = int(descriptor["state"])
    names = state_names()
    yield f"pfn {pfn}"
    yield f"physical {pfn << PAGE_SHIFT:#x}"
    yield f"direct {DIRECT_BASE + (pfn << PAGE_SHIFT):#018x}"
    yield f"state {names[state] if state < len(names) else state}"
    if state < len(names) and names[state] == "private" and not is_described(descriptor):
        yield "owner nobody yet: a page is on its way into it"
    elif state < len(names) and names[state] == "private":
        yield from private_lines(machine, descriptor)
    elif state < len(names) and names[state] == "page-table":
        yield from table_lines(machine, descriptor)
    elif state < len(names) and names[state] == "shared":
        yield f"object {object_of(descriptor['shared']):#018x}"
        yield f"page {int(descriptor['shared']['index'])}"
        yield f"mapped {int(descriptor['map_count'])}"
        yield " ".join(["flags"] + (flag_names(int(descriptor["flags"])) or ["none"]))


def private_lines(machine, descriptor):
    """The rest about a page of a process."""
    page = descriptor["page"]
    address, number = int(page["address"]), int(page["entry"])
    flags = int(descriptor["flags"])
    yield f"owner {owner_text(machine, int(descriptor['owner']))}"
    yield f"address {address:#018x}"
    yield " ".join(["flags"] + (flag_names(flags) or ["none"]))
    slot = int(descriptor["slot"])
    yield f"slot {'none' if slot == SLOT_NONE else slot}"
    if "listed" in flag_names(flags):
        yield f"age {age(machine, descriptor)}"
        yield f"younger {pfn_text(machine.linked_pfn(page['next']))}"
        yield f"older {pfn_text(machine.linked_pfn(page['prev']))}"
    entry = int.from_bytes(machine.physical(number * 8, 8), "little")
    yield f"table {number >> 9}"
    yield f"entry {entry:#018x} {entry_text(entry, 1)}"


def table_lines(machine, descriptor):
    """The rest about a page table."""
    table = descriptor["table"]
    owner = int(table["lock"]["owner"])
    yield f"owner {owner_text(machine, int(descriptor['owner']))}"
    yield f"level {int(table['level'])}"
    yield f"base {int(table['base']):#018x}"
    yield f"lock {f'cpu {owner - 1}' if owner else 'free'}"


# ---- lru -------------------------------------------------------------------------

def age(machine, descriptor):
    """How many pages became resident or were touched since the page was."""
    now = int(machine.get("policy_find", "policy_time"))
    return (now - (int(descriptor["page"]["stamp"]) & ~3) & 0xffffffff) // 4


def lru(machine, count):
    """vm lru"""
    machine.need_boot()
    policy = machine.pointed(machine.get("policy_find", "policy_current"))
    name = machine.string(policy["name"])
    first = int(policy["first"])
    outside = machine.get("lru_set_policy", "lru")
    lists = [outside["ahead"], outside["tail"], policy["lists"][first], policy["lists"][1 - first]]
    shown = LRU_COUNT if count is None else count
    total = sum(int(pages["count"]) for pages in lists)
    yield f"policy {name}: {total} pages, next victim first"
    pids = machine.pids()
    for pfn in lists_order(machine, lists, min(shown, total)):
        descriptor = machine.frame_at(pfn)
        shared = state_names()[int(descriptor["state"])] == "shared"
        pid = 0 if shared else pids.get(int(descriptor["owner"]), 0)
        address = int(descriptor["shared"]["index"]) << PAGE_SHIFT if shared \
            else int(descriptor["page"]["address"])
        yield f"{pid} {address:#018x} {pfn} {age(machine, descriptor)}"
    if shown < total:
        yield f"and {total - shown} more: vm lru {total}"


def lists_order(machine, lists, limit):
    """Frame numbers of the lists' pages, each list from its oldest on."""
    for pages in lists:
        pfn = machine.linked_pfn(pages["oldest"])
        for _ in range(min(limit, int(pages["count"]))):
            descriptor = machine.frame_at(pfn)
            if descriptor is None:
                raise Problem(f"the policy's list leads to {pfn}, which is not RAM")
            yield pfn
            limit -= 1
            pfn = machine.linked_pfn(descriptor["page"]["next"])


# ---- swap ------------------------------------------------------------------------

def slot_at(machine, index):
    """A slot's descriptor."""
    kind = gdb.lookup_type("struct swap_slot")
    slots = int(gdb.parse_and_eval("(unsigned long)&swap_slots"))
    return machine.at(slots + index * kind.sizeof, kind)


def swap(machine, first):
    """vm swap"""
    machine.need_boot()
    disk = machine.get("swap_write", "swap")
    total, used, bad = int(disk["slot_count"]), int(disk["used"]), int(disk["bad"])
    first = first or 0
    if first and first >= total:
        raise Problem(f"slot {first} is not one: there are {total}")
    yield f"slots {total}"
    yield f"used {used}"
    yield f"free {total - used - bad}"
    yield f"bad {bad}"
    found = used_slots(machine, disk, first)
    if not found:
        return
    yield f"{'SLOT':>8} {'GENERATION':>10} SUM"
    for index, slot in found[:SWAP_COUNT]:
        total = f"{int(slot['sum']):#018x}" if not int(slot["unwritten"]) else "not written"
        yield f"{index:8} {int(slot['generation']):10} {total}"
    if len(found) > SWAP_COUNT:
        yield f"and more: vm swap {found[SWAP_COUNT][0]}"


def used_slots(machine, disk, first):
    """The first used slots, one more than are shown: pairs of index and descriptor."""
    found = []
    for index in range(first, int(disk["fresh"])):
        slot = slot_at(machine, index)
        if int(slot["link"]) == index:
            found.append((index, slot))
        if len(found) > SWAP_COUNT:
            break
    return found


# ---- For ps ----------------------------------------------------------------------

def usage(machine, root):
    """Resident and swapped pages of an address space, by a walk."""
    counts = collections.Counter()
    tables = [(4, root)]
    while tables:
        level, table = tables.pop()
        data = machine.physical(table & PTE_FRAME_MASK, PAGE_SIZE)
        last = ENTRY_COUNT // 2 if level == 4 else ENTRY_COUNT
        for entry in memoryview(data).cast("Q")[:last]:
            if level > 1 and entry & PTE_PRESENT:
                tables.append((level - 1, entry))
            elif level == 1 and entry:
                counts[kind_of(entry, 1)] += 1
    return counts["present"] + counts["resting"] + counts["transit"], counts["swapped"]
