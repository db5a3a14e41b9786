/*
 * services.c: what a program gives to services: pointers that lead nowhere, pages that are lost.
 */
#include "kernel/proc/program.h"
#include "lib/string.h"
#include "tests/unit/ktap.h"
#include "tests/unit/pages.h"

/* In no block of a process that has none. */
#define NOWHERE ((char *)0x2c00000000)

static int prints_from_nowhere(int argc, char **argv)
{
	(void)argc, (void)argv;
	print("%s\n", NOWHERE);
	return 0;
}

static int spawns_from_nowhere(int argc, char **argv)
{
	char *words[] = {(char *)"globals", NOWHERE};

	(void)argc, (void)argv;
	return spawn(ARRAY_SIZE(words), words);
}

TEST(services, a_bad_pointer_ends_its_process)
{
	CHECK_DIES(FAULT_BAD_ADDRESS, prints_from_nowhere);
	CHECK_DIES(FAULT_BAD_ADDRESS, spawns_from_nowhere);
}

static struct failing_device failing;

static int prints_a_lost_page(int argc, char **argv)
{
	char *text = vmap_malloc(self_vmap(), PAGE_SIZE);

	(void)argc, (void)argv;
	(void)string_copy(text, "text", PAGE_SIZE);
	(void)test_swap_out((vaddr_t)text);
	failing_device_install(&failing);
	failing.read_nth = 1;
	failing.read_every = 1;
	print("%s\n", text);
	return 0;
}

TEST(services, a_lost_page_ends_its_process)
{
	NEED_SLOTS(64);
	failing = (struct failing_device){0};
	CHECK_DIES(FAULT_SWAP_LOST, prints_a_lost_page);
	failing_device_remove(&failing);
}
