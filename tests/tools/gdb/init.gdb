# What gdb needs to know of quire; `make debug` and `make attach` read it first.
set confirm off
set pagination off
set print pretty on
set print symbol on
# The process table is larger than gdb would read by itself.
set max-value-size unlimited
set history filename build/gdb.history
set history save on

# The commands that read the kernel's structures: `help vm`.
source tests/tools/gdb/vm.py
