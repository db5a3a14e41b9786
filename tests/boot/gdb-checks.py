"""Run by gdb in a quire halted at the kernel's first instruction: see gdb.t.

Prints a line of TAP a check, and what differed.
"""

import os
import re

import gdb

count = 0


# ---- Telling ---------------------------------------------------------------------

def tell(passed, name, *details):
    """A test's line."""
    global count
    count += 1
    print(f"{'' if passed else 'not '}ok {count} - {name}")
    if not passed:
        for detail in details:
            for line in str(detail).splitlines() or [""]:
                print("#   " + line)


def said(command):
    """What a command prints, or its error after "error: "."""
    try:
        return gdb.execute(command, to_string=True).rstrip("\n")
    except gdb.error as error:
        return f"error: {error}"


def prints(command, *patterns):
    """Each line printed matches its pattern."""
    lines = said(command).splitlines()
    passed = len(lines) == len(patterns) and all(
        re.fullmatch(pattern, line) for pattern, line in zip(patterns, lines))
    tell(passed, command, "expected:", *patterns, "observed:", *lines)


def same(command, observed, expected):
    """Lines agree, blanks beside each other apart."""
    squeezed = [[" ".join(line.split()) for line in lines] for lines in (observed, expected)]
    tell(squeezed[0] == squeezed[1], command, "expected:", *expected, "observed:", *observed)


def contains(command, *patterns):
    """The patterns match somewhere in what is printed, in this order."""
    text = said(command)
    tell(re.search(".*".join(patterns), text, re.DOTALL), command,
         "expected, in this order:", *patterns, "observed:", text)


def stop_at(place):
    """Goes on to the next call of a function, perhaps as "file:function"."""
    said(f"tbreak {place}")
    where = said("continue")
    name = gdb.selected_frame().name()
    tell(name == place.split(":")[-1], f"tbreak {place}, continue", where)


# ---- The console's own words -----------------------------------------------------

def console(command, nth=1):
    """What the nth run of a console command printed: its lines."""
    with open(os.environ["QUIRE_LOG"], encoding="latin1") as file:
        text = file.read()
    parts = text.split(f"\nquire> {command}\n")
    return parts[nth].split("\nquire> ", 1)[0].splitlines() if nth < len(parts) else ["(none)"]


def word(name):
    """The value that a console variable got: the last word of its line."""
    return console(name)[-1].split()[-1]


# ---- The checks ------------------------------------------------------------------

HEX = "0x[0-9a-f]{16}"
WALK = [r"root pfn \d+: pid 1 worker", "LEVEL INDEX ENTRY +MEANING"] + [
    rf" +{level} +\d+ {HEX} table pfn \d+ writable accessed" for level in (4, 3, 2)]


def check_before_boot():
    """At the first instruction: symbols; and the commands have nothing to read yet."""
    contains("frame", r"boot_entry \(\) at arch/x86_64/boot.S:\d+", r"movl %eax, %edi")
    contains("vm image", r"^quire: symbols of .*quire.elf\.")
    for command in ("frames", "frame 1", "lru", "swap", "ps", "bt 1", "locks"):
        prints("vm " + command, f"error: vm {command.split()[0]}: not booted yet: .*")
    prints("vm pt 0x400000", "error: vm pt: not booted yet: this CPU has not turned paging on")
    stop_at("kernel_main")
    contains("backtrace", "#0 +kernel_main", r"#1 .*boot_start \(\) at arch/x86_64/boot.S:\d+$")
    contains("vm pt kernel_main", "root pfn .*: the kernel's own", "page pfn 0 writable exec")
    prints("vm frames", "error: vm frames: not booted yet: .*")
    prints("vm boot", "error: vm boot: quire is beyond its first instruction: .*")


def check_arguments():
    """Wrong ones are one line of error."""
    prints("vm pt", r"error: vm pt: usage: vm pt ADDR \[PID\]")
    prints("vm pt 1 2 3", r"error: vm pt: usage: vm pt ADDR \[PID\]")
    prints("vm frame", "error: vm frame: usage: vm frame PFN")
    prints("vm ps 1", "error: vm ps: usage: vm ps")
    prints("vm bt", r"error: vm bt: usage: vm bt PID \[TID\]")
    prints("vm pt nonsense", "error: vm pt: ADDR: 'nonsense' is not a number: No symbol .*")
    prints("vm pt 1.5", "error: vm pt: ADDR: '1.5' is not a whole number")
    prints("vm pt 0x800000000000", "error: vm pt: 0x0000800000000000 is not canonical: .*")
    prints("vm pt 0 99", r"error: vm pt: there is no process 99 .*")
    prints("vm bt 99", r"error: vm bt: there is no process 99 .*")
    prints("vm bt 1 99", r"error: vm bt: process 1 has no thread 99 .*")
    prints("vm frame 0xffffffff", "error: vm frame: 4294967295 is not RAM: .*")
    prints("vm frame -1", "error: vm frame: 18446744073709551615 is not RAM: .*")
    prints("vm swap 999999", "error: vm swap: slot 999999 is not one: .*")
    prints("vm nonsense", "error: vm: there is no command 'nonsense'; .*")
    for command in "boot bt frame frames image locks lru ps pt swap".split():
        contains("help vm " + command, r"^\S.*\n", f"Usage: vm {command}")
        contains("help vm", f"vm {command} -- ")


def check_in_assembly():
    """Where the processor is in assembly, too, which gdb takes for another language."""
    stop_at("context_switch")
    contains("vm locks", r"\nsched +\d+ +1\n", r"\nsched_lock \(sched\): cpu \d")
    contains("vm lru", "^policy lru: 0 pages, next victim first$")


def check_first_fault():
    """The breakpoint of README: the first store to a new page."""
    stop_at("fault_handle")
    contains("backtrace", "#0 +fault_handle", "<signal handler called>", "worker_main",
             "thread_begin", r"context_start \(\) at arch/x86_64/switch.S:\d+$")
    prints("vm pt $cr2", *WALK, rf" +1 +0 {HEX} untouched")
    stop_at("lru_insert")
    contains("vm locks", "CLASS +CONTENDED +HELD\n",
             r"\npage_table +\d+ +1\n", r"\nlru +\d+ +0\nswap +\d+ +0\n",
             r"\ntable of pfn \d+ \(page_table\): cpu \d\b")


def pfn_of_page():
    """The frame of the page that swap_write or swap_read was called for."""
    return int(gdb.parse_and_eval("(unsigned long)page")) - 0xffff800000000000 >> 12


def check_leaving():
    """A page on its way out is resting, and its evictor's frame is not listed."""
    stop_at("swap_write")
    pfn = pfn_of_page()
    address = word("a = as $p malloc 64K")
    prints(f"vm pt {address}", *WALK, rf" +1 +0 {HEX} resting pfn {pfn}",
           f"frame {pfn}: private of pid 1 at {address} dirty evicting flushed")
    same("vm frame page", said("vm frame page").splitlines(), said(f"vm frame {pfn}").splitlines())
    prints(f"vm frame {pfn}", f"pfn {pfn}", f"physical {pfn << 12:#x}", f"direct {HEX}",
           "state private", "owner pid 1", f"address {address}", "flags dirty evicting flushed",
           "slot none", r"table \d+", rf"entry {HEX} resting pfn {pfn}")
    contains("vm swap", "used 1\n", r"\n +0 +1 not written$")
    contains("vm ps", r"\n +\d+ +1 blocked +\d worker +work_take at kernel/proc/work.c:\d+")
    contains("vm bt 1", r"^thread \d+ worker blocked last on cpu \d\n#0 ", "work_take",
             r"worker_main .* at kernel/programs/worker.c:\d+\n", r"context_start .*switch.S:\d+$")
    contains("vm bt 0", r"thread \d+ console running on cpu \d \(gdb's thread \d\)\n#0 +swap_write",
             "reclaim_set_limit", r"context_start .*switch.S:\d+$")


def check_coming():
    """A page being read back is in transit."""
    stop_at("swap_read")
    pfn = pfn_of_page()
    address = word("a = as $p malloc 64K")
    prints(f"vm pt {address}", *WALK, rf" +1 +0 {HEX} transit pfn {pfn}",
           f"frame {pfn}: private, not yet of anybody: .*")
    said("up")
    before = said("frame")
    contains("vm ps", r"\n +\d+ +1 running +\d worker +swap_read at kernel/mm/swap.c:\d+")
    tell(said("frame") == before, "the selected frame stays selected", before, said("frame"))


def check_end():
    """At power_off: everything is as the console has just printed it."""
    stop_at("power_off")
    a, b = (int(word(name), 16) for name in ("a = as $p malloc 64K", "b = as $p malloc 12K"))
    for offset, kind in ((a, "page pfn"), (a + 0x1000, "swapped slot"), (a + 0x2000, "resting pfn"),
                         (b + 0x1000, "untouched"), (0x400000, "untouched image"),
                         (0x123456789000, "none")):
        text = {a: "$a", a + 0x1000: "$a+0x1000", a + 0x2000: "$a+0x2000",
                b + 0x1000: "$b+0x1000"}.get(offset, hex(offset))
        walk = said(f"vm pt {offset:#x} 1").splitlines()
        same(f"vm pt {text} 1: as the console's",
             [line for line in walk[1:] if re.match(" *(LEVEL|[1-4] )", line)],
             console(f"pt $p {text}"))
        tell(kind in "\n".join(walk), f"vm pt {text} 1: {kind}", *walk)
    same("vm lru", said("vm lru").splitlines()[1:], console("lru", 2))
    prints("vm lru 2", "policy clock: 8 pages, next victim first", *[".*"] * 2,
           "and 6 more: vm lru 8")
    same("vm swap", said("vm swap").splitlines()[:4], console("swap")[:4])
    same("vm ps", said("vm ps").split("\n\n")[0].splitlines(), console("ps"))
    same("vm frames", said("vm frames").splitlines(), console("frames"))
    waits = [re.sub(r"(\S+) +(\d+) .*", r"lock.\1.contended \2", line)
             for line in said("vm locks").splitlines()[1:] if not line.endswith(")")]
    same("vm locks", waits[:len(console("locks"))], console("locks"))


def check_links():
    """Frames name their neighbours on the policy's list, and slots their pages."""
    pages = [line.split() for line in said("vm lru").splitlines()[1:]]
    for (_, address, pfn, age), after in zip(pages, pages[1:]):
        text = said(f"vm frame {pfn}").splitlines()
        wanted = {f"address {address}", "owner pid 1", f"age {age}"}
        tell(wanted <= set(text), f"vm frame {pfn}", *wanted, "observed:", *text)
    slots = said("vm swap").split("SUM\n")[1].splitlines()
    slot, generation, total = slots[1].split()
    holders = [walk for offset in range(0, 0x10000, 0x1000)
               for walk in [said(f"vm pt {word('a = as $p malloc 64K')}+{offset} 1")]
               if f"slot {slot} generation {generation}\n" in walk]
    tell(len(holders) == 1 and
         holders[0].endswith(f"slot {slot}: generation {generation}, sum {total}"),
         "a page away names its slot's sum", *holders)


def check_other_cpu():
    """What is printed does not depend on the CPU selected."""
    commands = ("vm frames", "vm lru", "vm swap", "vm ps", "vm bt 1", "vm bt 0", "vm locks",
                "vm pt 0x123456789000 1")
    first = [said(command) for command in commands]
    other = 3 - gdb.selected_thread().num
    said(f"thread {other}")
    for command, text in zip(commands, first):
        tell(said(command) == text, f"{command}, on the other CPU", text, said(command))
    tell(gdb.selected_thread().num == other, "the selected CPU stays selected")


for check in (check_before_boot, check_in_assembly, check_first_fault, check_leaving,
              check_coming, check_end, check_arguments, check_links, check_other_cpu):
    try:
        check()
    except Exception as problem:  # whatever it is, it fails this check only
        tell(False, check.__name__, f"{type(problem).__name__}: {problem}")
print("# all checks ran")
