/*
 * vobj_pages.c: virtual object storage on the machine's own mechanism.
 *
 * The lab mem-virtual-objects keeps tables of objects, catches the fault of an
 * absent one and chooses who leaves, by itself. Here an object is a page, the
 * table is the page table, the fault is the kernel's, and the policy lru-exact
 * with a resident limit of `frames` chooses. For the same input it prints what
 * the lab prints, line by line; tests compare them.
 *
 *   the lab                                    here
 *   vir_obj_tab[id] is NULL                    the page's entry is not resident
 *   phy_obj_tab[phy_obj_id]                    a frame, numbered as it was first used
 *   handle_obj_fault                           fault_handle
 *   the object with the least vir_obj_time     policy_lru_exact's oldest page
 *   save_object, load_object                   swap_write, swap_read
 *
 * Nothing is replayed: what is printed was looked up in the page table before
 * and after a plain load that faults. Only the times are counted here.
 *
 * Invariants:
 *  1. No variable of this file is in .data or .bss: those would be pages of the
 *    process, in memory beside the objects.
 *  2. Limit and policy are set back when the process ends, by itself or, if it
 *    is killed, by a thread of the kernel.
 */
#include "kernel/mm/kernel_pages.h"
#include "kernel/mm/lru.h"
#include "kernel/mm/reclaim.h"
#include "kernel/mm/vmap.h"
#include "kernel/proc/process.h"
#include "kernel/proc/program.h"
#include "kernel/sched/gate.h"
#include "lib/number.h"
#include "lib/string.h"

#define OBJECT_LIMIT 100
#define NONE (-1)
#define INPUT_BYTES 256

/* An object lies at the start of its page. */
struct point {
	int x, y;
};

struct storage {
	int object_count, frame_count;
	char *pages; /* object id: the page pages + id * PAGE_SIZE */
	int now;
	int times[OBJECT_LIMIT];
	pfn_t frames[OBJECT_LIMIT]; /* by physical object's id */
	/* The line of input, and what of it is not read yet. */
	char line[INPUT_BYTES];
	const char *rest;
};

/* ---- Limit and policy ------------------------------------------------------------ */

/* What was before; a page of the kernel, so that it outlives the process. */
struct settings {
	pid_t pid;
	uint64_t limit;
	struct policy *policy;
	bool restored; /* written by the process while it lives */
};

static void settings_restore(struct settings *settings)
{
	if (settings->restored)
		return;
	lru_set_policy(settings->policy);
	/* It held before, and what was promised since is given back or fits it, too. */
	if (reclaim_set_limit(settings->limit) != 0)
		return;
	settings->restored = true;
}

/* A thread of the kernel: sees to it when the process has ended. */
static void keep(void *argument)
{
	struct settings *settings = argument;

	/* -ESRCH: it has been collected already. */
	if (process_join(settings->pid) == -EINTR)
		return;
	gate_enter();
	settings_restore(settings);
	kernel_page_free(settings);
	gate_leave();
}

/*
 * Has a process pages in memory? This one has none yet. Pages of files that
 * nobody maps do no harm: nobody touches them, so they are the first to leave.
 */
static bool is_busy(void)
{
	struct process_info info;

	for (pid_t pid = 1; process_next(pid, &info); pid = info.pid + 1)
		if (info.usage.resident > 0)
			return true;
	return false;
}

/* NULL and *error if the machine cannot be set so. Inside the gate. */
static struct settings *settings_make(uint64_t frame_count, int *error)
{
	struct settings *settings;

	*error = -EBUSY;
	if (is_busy())
		return NULL;
	*error = -ENOMEM;
	settings = kernel_page_alloc();
	if (!settings)
		return NULL;
	*settings = (struct settings){self_pid(), reclaim_limit(), lru_policy(), true};
	*error = kernel_thread_start("vobj-pages-keeper", keep, settings);
	if (*error) {
		kernel_page_free(settings);
		return NULL;
	}
	*error = reclaim_set_limit(frame_count);
	if (*error)
		return NULL; /* the keeper frees it */
	settings->restored = false;
	lru_set_policy(policy_find("lru-exact"));
	return settings;
}

/* ---- Looking -------------------------------------------------------------------- */

static struct point *object_of(const struct storage *storage, int id)
{
	return (struct point *)(storage->pages + (uint64_t)id * PAGE_SIZE);
}

/* The frame that the object's page is in, or PFN_NONE. */
static pfn_t frame_of(const struct storage *storage, int id)
{
	pte_t entry = pte_read(vmap_entry(self_vmap(), (vaddr_t)object_of(storage, id)));

	return pte_has_frame(entry) ? pte_pfn(entry) : PFN_NONE;
}

/* The number of the frame that the object is in, or NONE. */
static int place_of(const struct storage *storage, int id)
{
	pfn_t pfn = frame_of(storage, id);

	for (int place = 0; place < storage->frame_count; place++)
		if (pfn != PFN_NONE && storage->frames[place] == pfn)
			return place;
	return NONE;
}

static void table_print(const struct storage *storage)
{
	for (int id = 0; id < storage->object_count; id++)
		print("[%02d %02d]", place_of(storage, id), storage->times[id]);
	print("\n");
}

/* ---- Touching ------------------------------------------------------------------- */

/* The load that faults if the page is away: a function of its own, for the debugger. */
static NOINLINE struct point vobj_touch(const struct point *object)
{
	return *(const volatile struct point *)object;
}

/*
 * Touches an absent object, and says who left for it. False if that was not
 * exactly one: then other processes take frames as well.
 */
static bool fetch(struct storage *storage, int id)
{
	int places[OBJECT_LIMIT] = {0};
	int left = NONE, left_count = 0;

	for (int i = 0; i < storage->object_count; i++)
		places[i] = place_of(storage, i);
	table_print(storage);
	(void)vobj_touch(object_of(storage, id));
	for (int i = 0; i < storage->object_count; i++) {
		if (places[i] == NONE || place_of(storage, i) != NONE)
			continue;
		left = i;
		left_count++;
	}
	if (left_count != 1) {
		print("%d objects left at once: other processes take frames\n", left_count);
		return false;
	}
	print("Replace vir obj %d (phy obj %d) to store vir obj %d\n", left, places[left], id);
	storage->times[left] = 0;
	storage->times[id] = storage->now;
	table_print(storage);
	return true;
}

/* ---- Input: as scanf("%ld") reads it, without variables of the process ------------- */

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* False at the end of the input, and for what is no number. */
static bool read_number(struct storage *storage, const char *prompt, int64_t *number)
{
	char word[32] = "";
	size_t length = 0;
	bool is_number;

	print("%s", prompt);
	for (;;) {
		while (is_blank(*storage->rest))
			storage->rest++;
		if (*storage->rest != '\0')
			break;
		if (read_line(storage->line, sizeof(storage->line)) < 0)
			return false;
		storage->rest = storage->line;
	}
	if (*storage->rest == '-' || *storage->rest == '+')
		word[length++] = *storage->rest++;
	is_number = *storage->rest >= '0' && *storage->rest <= '9';
	while (*storage->rest >= '0' && *storage->rest <= '9') {
		if (length < sizeof(word) - 1)
			word[length++] = *storage->rest;
		storage->rest++;
	}
	if (number_parse(word + (word[0] == '+'), INT64_MIN, INT64_MAX, number) == -ERANGE)
		*number = word[0] == '-' ? INT64_MIN : INT64_MAX;
	return is_number;
}

static bool read_int(struct storage *storage, const char *prompt, int *number)
{
	int64_t value = 0;

	if (!read_number(storage, prompt, &value) || value != (int)value)
		return false;
	*number = (int)value;
	return true;
}

/* ---- The program ------------------------------------------------------------------ */

static void object_print(const struct storage *storage, int id)
{
	struct point object = vobj_touch(object_of(storage, id));

	print("vir_obj_tab[%d] = (%d, %d)\n", id, object.x, object.y);
}

/* False when the input ends. */
static bool modify(struct storage *storage, int id)
{
	struct point object = {0, 0};

	if (frame_of(storage, id) == PFN_NONE && !fetch(storage, id))
		return false;
	object_print(storage, id);
	if (!read_int(storage, "x = ", &object.x) || !read_int(storage, "y = ", &object.y))
		return false;
	*object_of(storage, id) = object;
	storage->times[id] = ++storage->now;
	object_print(storage, id);
	return true;
}

static void run(struct storage *storage)
{
	int64_t id = 0;

	for (;;) {
		table_print(storage);
		if (!read_number(storage, "vir obj id> ", &id))
			break;
		if (id < 0 || id >= storage->object_count)
			print("no such object: %ld (0..%d)\n", id, storage->object_count - 1);
		else if (!modify(storage, (int)id))
			break;
	}
	print("\n");
}

/* NAME=N; false if the word is something else, or N is out of range. */
static bool read_argument(const char *word, const char *name, int *value)
{
	size_t length = strlen(name);
	int64_t number;

	if (strncmp(word, name, length) != 0 ||
	    number_parse(word + length, 1, OBJECT_LIMIT, &number) != 0)
		return false;
	*value = (int)number;
	return true;
}

static bool read_arguments(struct storage *storage, int argc, char **argv)
{
	storage->object_count = 8;
	for (int i = 1; i < argc; i++)
		if (!read_argument(argv[i], "objects=", &storage->object_count) &&
		    !read_argument(argv[i], "frames=", &storage->frame_count))
			return false;
	if (storage->frame_count == 0)
		storage->frame_count = MIN(storage->object_count, 4);
	return storage->frame_count <= storage->object_count;
}

static int vobj_pages_main(int argc, char **argv)
{
	struct storage storage = {.rest = ""};
	struct settings *settings;
	int error;

	if (!read_arguments(&storage, argc, argv)) {
		print("usage: vobj-pages [objects=1..%d] [frames=1..objects]\n", OBJECT_LIMIT);
		return 2;
	}
	gate_enter();
	settings = settings_make((uint64_t)storage.frame_count, &error);
	gate_leave();
	if (!settings) {
		print("vobj-pages: %s%s\n", errno_text(error),
		      error == -EBUSY ? ": other processes have pages in memory; ps lists them"
				      : "");
		return 1;
	}
	self_vmap()->neighbours = 1; /* an object comes when it is touched */
	storage.pages = vmap_malloc(self_vmap(), storage.object_count * (int)PAGE_SIZE);
	if (storage.pages) {
		for (int id = 0; id < storage.frame_count; id++) {
			*object_of(&storage, id) = (struct point){0, 0};
			storage.frames[id] = frame_of(&storage, id);
		}
		run(&storage);
		vmap_free(self_vmap(), storage.pages);
	} else {
		print("vobj-pages: %s\n", errno_text(*vmap_errno()));
	}
	gate_enter();
	settings_restore(settings);
	gate_leave();
	return 0;
}

PROGRAM(vobj_pages, "vobj-pages", "[objects=N] [frames=N]",
	"the lab's virtual objects as pages, on the kernel's own mechanism", vobj_pages_main);
