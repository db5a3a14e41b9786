"""The image in memory and the one that gdb reads: image, boot."""

import os
import struct

import gdb

from vm_machine import CR0_PAGING, KERNEL_BASE, Problem, register

# The sections of boot.S's object file, by their first symbols.
BOOT_SECTIONS = ((".boot.header", "multiboot1_header"), (".boot", "boot_entry"),
                 (".rodata.boot", "boot_refusal"), (".bss", "boot_root"))
BOOT_OBJECT = "arch/x86_64/boot.S.o"


def address_of(name):
    """Where a symbol of the image is linked."""
    try:
        return int(gdb.parse_and_eval(f"(unsigned long)&{name}"))
    except gdb.error:
        raise Problem("gdb has no symbols of quire: `file build/quire.elf` reads them")


def text_in_file():
    """Address and bytes of the kernel's text, from the file that gdb reads (ELF-64)."""
    start, end = address_of("image_text_start"), address_of("image_text_end")
    with open(gdb.current_progspace().filename, "rb") as file:
        data = file.read()
    table, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    for at in range(table, table + size * count, size):
        offset, address = struct.unpack_from("<QQ", data, at + 8)
        if address == start:
            return start, data[offset:offset + end - start]
    raise Problem("the file that gdb reads has no kernel in it")


def compare(machine):
    """vm image"""
    start, text = text_in_file()
    loaded = machine.physical(start - KERNEL_BASE, len(text))
    path = os.path.relpath(gdb.current_progspace().filename)
    if loaded == text:
        yield f"quire: symbols of {path}. `help vm` tells what reads the kernel's structures."
    elif not any(loaded[:4096]):
        yield f"quire: symbols of {path}; the machine has not loaded it yet (`vm boot`)."
    else:
        yield f"quire: warning: the machine runs another image than {path}, built anew since? " \
              "Symbols and lines will be wrong."


def add_boot_symbols():
    """boot.S once more, at its load address: that is where it runs."""
    folder = os.path.dirname(gdb.current_progspace().filename)
    path = os.path.join(folder, BOOT_OBJECT)
    if not os.path.exists(path) or any(one.filename == path for one in gdb.objfiles()):
        return
    sections = " ".join(f"-s {section} {address_of(symbol) - KERNEL_BASE:#x}"
                        for section, symbol in BOOT_SECTIONS)
    gdb.execute(f'add-symbol-file "{path}" {sections}', to_string=True)


def boot(machine):
    """vm boot"""
    entry = address_of("boot_entry") - KERNEL_BASE
    if register("cr0") & CR0_PAGING:
        raise Problem("quire is beyond its first instruction: `make debug` starts one anew")
    add_boot_symbols()
    stop = gdb.Breakpoint(f"*{entry:#x}", gdb.BP_HARDWARE_BREAKPOINT, internal=True,
                          temporary=True)
    stop.silent = True
    gdb.execute("continue", to_string=True)
    if gdb.newest_frame().pc() != entry:
        yield "quire: stopped before its first instruction; `vm boot` goes on to it"
        return
    yield "quire: at its first instruction. Now for instance `break fault_handle`, `continue`;"
    yield "the console is `make console` in another terminal; `help vm` lists quire's commands."
    yield from gdb.execute("frame", to_string=True).splitlines()
