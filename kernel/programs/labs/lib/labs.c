/*
 * labs.c: the labs as programs of quire.
 */
#include "kernel/programs/labs/lib/labs.h"

#include "kernel/proc/program.h"

PROGRAM(mem_virtual_objects, "mem-virtual-objects", "[step=0..6] [objects=N] [frames=N]",
	"the lab of virtual object storage; step: after which section", mem_virtual_objects_main);

PROGRAM(sem_prod_cons, "sem-prod-cons", "[producers=N] [consumers=N] [items=N] [capacity=N]",
	"the lab of the blocking queue, shared by way of files", sem_prod_cons_main);

PROGRAM(mem_prod_cons, "mem-prod-cons", "[producers=N] [consumers=N] [items=N] [capacity=N]",
	"the lab of the blocking queue, shared by way of memory", mem_prod_cons_main);
