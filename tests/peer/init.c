/*
 * init.c: process 1 of the Linux that quire is measured beside (tests/peer/run):
 * mounts what the workloads need, makes a RAM disk the swap device, runs them,
 * and switches the machine off. With the argument "policy", its faults under both
 * of its LRUs are counted instead.
 *
 * The initial file system holds this program as /init and the module of the RAM
 * disk as /brd.ko.
 */
#define _GNU_SOURCE /* O_DIRECT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/pattern.h"
#include "tests/peer/peer.h"

/* Slots for all pages of a pattern and then some. */
#define SWAP_PAGES (PATTERN_PAGES + PATTERN_PAGES / 4)
#define SWAP_DEVICE "/dev/ram0"

/* ---- For all workloads ------------------------------------------------------------- */

NORETURN static void power_off(void)
{
	fflush(NULL);
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

void peer_fail(const char *what)
{
	printf("error: %s: %s\n", what, strerror(errno));
	power_off();
}

void peer_print(const char *name, uint64_t cost, uint64_t operations)
{
	operations = MAX(operations, 1ull);
	printf("bench %s %llu instructions\n", name,
	       (unsigned long long)((cost + operations / 2) / operations));
}

void peer_write(const char *file, const char *text)
{
	int descriptor = open(file, O_WRONLY);

	if (descriptor < 0 || write(descriptor, text, strlen(text)) < 0)
		peer_fail(file);
	close(descriptor);
}

uint64_t peer_vmstat(const char *word)
{
	FILE *file = fopen("/proc/vmstat", "r");
	unsigned long long value, found = 0;
	char name[64];

	if (!file)
		peer_fail("/proc/vmstat");
	while (fscanf(file, "%63s %llu", name, &value) == 2)
		if (strcmp(name, word) == 0)
			found = value;
	fclose(file);
	return found;
}

uint8_t *peer_map(size_t page_count)
{
	uint8_t *block = mmap(NULL, page_count * PAGE_SIZE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (block == MAP_FAILED)
		peer_fail("mmap");
	return block;
}

void peer_unmap(uint8_t *block, size_t page_count)
{
	if (munmap(block, page_count * PAGE_SIZE))
		peer_fail("munmap");
}

void peer_child(void (*function)(void))
{
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		peer_fail("fork");
	if (pid == 0) {
		function();
		fflush(stdout);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status != 0) {
		printf("error: a workload ended with %d\n", status);
		power_off();
	}
}

/* ---- The machine ------------------------------------------------------------------- */

static void mount_at(const char *folder, const char *type)
{
	if (mkdir(folder, 0755) && errno != EEXIST)
		peer_fail(folder);
	if (mount(type, folder, type, 0, NULL))
		peer_fail(folder);
}

static void load_ramdisk(void)
{
	int module = open("/brd.ko", O_RDONLY | O_CLOEXEC);
	char parameters[64];

	snprintf(parameters, sizeof(parameters), "rd_nr=1 rd_size=%u",
		 SWAP_PAGES * (PAGE_SIZE / 1024));
	if (module < 0 || syscall(SYS_finit_module, module, parameters, 0))
		peer_fail("/brd.ko");
	close(module);
}

/*
 * What mkswap writes: the header of version 1 behind the first KiB of the device
 * (include/linux/swap.h of Linux, union swap_header), and the signature at the
 * end of the first page. All other pages are written once too, so that the RAM
 * disk has their frames before anything is measured.
 */
static void make_swap(void)
{
	static uint8_t page[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
	const uint32_t header[] = {1, SWAP_PAGES - 1, 0}; /* version, last page, bad pages */
	int device = open(SWAP_DEVICE, O_WRONLY | O_DIRECT);

	if (device < 0)
		peer_fail(SWAP_DEVICE);
	memcpy(page + 1024, header, sizeof(header));
	memcpy(page + PAGE_SIZE - 10, "SWAPSPACE2", 10);
	for (unsigned i = 0; i < SWAP_PAGES; i++) {
		if (write(device, page, sizeof(page)) != (ssize_t)sizeof(page))
			peer_fail(SWAP_DEVICE);
		memset(page, 0, sizeof(page));
	}
	close(device);
	if (swapon(SWAP_DEVICE, 0))
		peer_fail("swapon");
}

static void of_both_lrus(void (*measure)(const char *lru))
{
	peer_write("/sys/kernel/mm/lru_gen/enabled", "n");
	measure("classic");
	peer_write("/sys/kernel/mm/lru_gen/enabled", "y");
	measure("mglru");
}

int main(int argc, char **argv)
{
	uint64_t booted = peer_tsc();

	peer_print("boot", booted, 1);
	fflush(stdout);
	mount_at("/proc", "proc");
	mount_at("/sys", "sysfs");
	mount_at("/dev", "devtmpfs");
	mount_at("/group", "cgroup2");
	peer_write("/group/cgroup.subtree_control", "+memory");
	load_ramdisk();
	make_swap();
	/* Words that Linux does not know stand before it. */
	if (strcmp(argv[argc - 1], "policy") == 0) {
		of_both_lrus(peer_policies);
	} else {
		peer_child(peer_memory);
		peer_child(peer_switches);
		of_both_lrus(peer_patterns);
	}
	printf("# done\n");
	power_off();
}
