/*
 * mem-virtual-objects.c: virtual object storage, the lab, step by step. This one
 * source is a program of quire and of Linux:
 *
 *   quire> ./mem-virtual-objects [step=0..6] [objects=1..100] [frames=0..objects]
 *   $ gcc -o mem-virtual-objects mem-virtual-objects.c
 *
 * A program has more objects than fit its memory. Each has a place in a swap
 * file, and those used last are in memory too. An object that is not there has
 * the address zero; touching it is a fault, and the fault brings it in:
 *
 *    vir_obj_id        vir_obj_tab   vir_to_phy_map      phy_obj_id   phy_obj_tab
 *                     +-----------+ +----------------+                +---------+
 *        0            |   #100    | |       0        | -------> 0     | (0, 0)  | #100
 *        1 (absent)   |     0     | |      -1        |          1     | (7, 2)  | #110
 *        2            |   #130    | |       3        | -----+   2     | (1, 4)  | #120
 *        3            |   #110    | |       1        |      +-> 3     | (5, 5)  | #130
 *       ...                                                           +---------+
 *                     +--------+--------+--------+--------+---
 *       vir_obj_file  |   0    |   1    |   2    |   3    | ...   every object, as it
 *                     +--------+--------+--------+--------+---    last left memory
 *
 *   present -- least recent access, when a place is needed: save_object ----> absent
 *           <- handle_obj_fault: load_object into that place ----------------
 *
 * The same with pages instead of objects, and with the machine instead of these
 * tables, is what a kernel does: `run vobj-pages` on quire prints it.
 *
 * step=K is the program as it is after the handout's section K:
 *   0  the draft: no object is anywhere
 *   1  the swap file is there
 *   2  the first objects are in memory
 *   3  the table is printed: [physical object, access time] of each virtual object
 *   4  a fault is caught
 *   5  the least recently used object makes room
 *   6  and the access is done again
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OBJ_LIMIT 100
#define NONE (-1)

enum step { DRAFT, SWAP_FILE, FIRST_OBJECTS, DUMP, CATCH, REPLACE, RESTART };

struct point {
	int x;
	int y;
};

static const struct point initial_object = {0, 0};

static enum step step = RESTART;
static int max_vir_obj = 8;
static int max_phy_obj = 4;

static struct point *vir_obj_tab[OBJ_LIMIT]; /* where an object is; NULL: absent */
static int vir_to_phy_map[OBJ_LIMIT];        /* its physical object, or NONE */
static int vir_obj_time[OBJ_LIMIT];          /* of its last access; absent: 0 */
static struct point phy_obj_tab[OBJ_LIMIT];

static int access_time; /* how many objects were modified so far */
static int vir_obj_file;
static int vir_obj_id; /* the object that is being accessed: the handler's argument */
static sigjmp_buf recovery_point;

static void fail(const char *what)
{
	perror(what);
	exit(2);
}

/* ---- The swap file -------------------------------------------------------------- */

static void seek_object(int id)
{
	if (lseek(vir_obj_file, id * (off_t)sizeof(struct point), SEEK_SET) < 0)
		fail("vir_obj_file: lseek");
}

static void save_object(int id, const struct point *object)
{
	seek_object(id);
	if (write(vir_obj_file, object, sizeof(*object)) != sizeof(*object))
		fail("vir_obj_file: write");
}

static void load_object(int id, struct point *object)
{
	seek_object(id);
	if (read(vir_obj_file, object, sizeof(*object)) != sizeof(*object))
		fail("vir_obj_file: read");
}

/* ---- The tables ----------------------------------------------------------------- */

static void map_object(int id, int phy_obj_id)
{
	vir_obj_tab[id] = &phy_obj_tab[phy_obj_id];
	vir_to_phy_map[id] = phy_obj_id;
}

static void unmap_object(int id)
{
	vir_obj_tab[id] = NULL;
	vir_to_phy_map[id] = NONE;
	vir_obj_time[id] = 0;
}

static void init_obj_tab(void)
{
	for (int id = 0; id < max_vir_obj; id++)
		unmap_object(id);
	if (step >= SWAP_FILE) {
		vir_obj_file = open("vir_obj_file", O_RDWR | O_CREAT | O_TRUNC, S_IRUSR | S_IWUSR);
		if (vir_obj_file < 0)
			fail("vir_obj_file: open");
		for (int id = 0; id < max_vir_obj; id++)
			save_object(id, &initial_object);
	}
	if (step >= FIRST_OBJECTS) {
		for (int id = 0; id < max_phy_obj; id++) {
			phy_obj_tab[id] = initial_object;
			map_object(id, id);
		}
	}
}

static void dump_vir_obj_tab(void)
{
	if (step < DUMP)
		return;
	for (int id = 0; id < max_vir_obj; id++)
		printf("[%02d %02d]", vir_to_phy_map[id], vir_obj_time[id]);
	printf("\n");
}

/* ---- The fault ------------------------------------------------------------------ */

/* A place that no object is in, or NONE. */
static int find_free_phy_obj(void)
{
	bool is_used[OBJ_LIMIT] = {false};

	for (int id = 0; id < max_vir_obj; id++)
		if (vir_to_phy_map[id] != NONE)
			is_used[vir_to_phy_map[id]] = true;
	for (int phy_obj_id = 0; phy_obj_id < max_phy_obj; phy_obj_id++)
		if (!is_used[phy_obj_id])
			return phy_obj_id;
	return NONE;
}

/* The object in memory with the least recent access, the first of several; or NONE. */
static int find_replaced_vir_obj(void)
{
	int replaced = NONE;

	for (int id = 0; id < max_vir_obj; id++)
		if (vir_obj_tab[id] &&
		    (replaced == NONE || vir_obj_time[id] < vir_obj_time[replaced]))
			replaced = id;
	return replaced;
}

/* A place in memory: a free one, or that of the object that leaves; or NONE. */
static int make_room(void)
{
	int phy_obj_id = find_free_phy_obj();
	int replaced;

	if (phy_obj_id != NONE)
		return phy_obj_id;
	replaced = find_replaced_vir_obj();
	if (replaced == NONE)
		return NONE;
	phy_obj_id = vir_to_phy_map[replaced];
	printf("Replace vir obj %d (phy obj %d) to store vir obj %d\n", replaced, phy_obj_id,
	       vir_obj_id);
	save_object(replaced, vir_obj_tab[replaced]);
	unmap_object(replaced);
	return phy_obj_id;
}

/*
 * Object vir_obj_id was touched and is absent. It may print and call anything:
 * the fault was in modify_object() itself, in no function of the library.
 */
static void handle_obj_fault(int signal)
{
	int phy_obj_id;

	if (vir_obj_tab[vir_obj_id]) { /* it is there: this fault is another, a bug, and fatal */
		sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
		return;
	}
	dump_vir_obj_tab();
	phy_obj_id = step >= REPLACE ? make_room() : NONE;
	if (phy_obj_id == NONE) {
		printf("no replaced object\n");
		exit(1);
	}
	load_object(vir_obj_id, &phy_obj_tab[phy_obj_id]);
	map_object(vir_obj_id, phy_obj_id);
	vir_obj_time[vir_obj_id] = access_time;
	dump_vir_obj_tab();
	if (step < RESTART) {
		/* The address, zero, is in a register by now: returning would fault again. */
		printf("not yet ready\n");
		exit(1);
	}
	siglongjmp(recovery_point, 1);
}

static void set_obj_fault_handler(void)
{
	struct sigaction action = {.sa_handler = handle_obj_fault};

	if (step < CATCH)
		return;
	sigemptyset(&action.sa_mask);
	if (sigaction(SIGSEGV, &action, NULL) < 0)
		fail("sigaction");
}

/* ---- The program ---------------------------------------------------------------- */

/* False at the end of the input, and for what is no number. */
static bool read_number(const char *prompt, long *number)
{
	printf("%s", prompt);
	fflush(stdout);
	return scanf("%ld", number) == 1;
}

static bool read_int(const char *prompt, int *number)
{
	long value;

	if (!read_number(prompt, &value) || value != (int)value)
		return false;
	*number = (int)value;
	return true;
}

static void print_object(void)
{
	struct point object = *vir_obj_tab[vir_obj_id]; /* here it faults, if it is absent */

	printf("vir_obj_tab[%d] = (%d, %d)\n", vir_obj_id, object.x, object.y);
}

/* False when the input ends. */
static bool modify_object(void)
{
	struct point object;

	/* handle_obj_fault() comes back here, and what follows is done again. */
	if (step >= RESTART)
		(void)sigsetjmp(recovery_point, 1);
	print_object();
	if (!read_int("x = ", &object.x) || !read_int("y = ", &object.y))
		return false;
	*vir_obj_tab[vir_obj_id] = object;
	vir_obj_time[vir_obj_id] = ++access_time;
	print_object();
	return true;
}

/* NAME=N with min <= N <= max; false if the word is something else. */
static bool read_argument(const char *word, const char *name, int min, int max, int *value)
{
	size_t length = strlen(name);
	char *end;
	long number;

	if (strncmp(word, name, length) != 0 || word[length] != '=')
		return false;
	number = strtol(word + length + 1, &end, 10);
	if (end == word + length + 1 || *end != '\0' || number < min || number > max)
		return false;
	*value = (int)number;
	return true;
}

static bool read_arguments(int argc, char **argv)
{
	int asked = RESTART;
	bool has_frames = false;

	for (int i = 1; i < argc; i++) {
		if (read_argument(argv[i], "frames", 0, OBJ_LIMIT, &max_phy_obj))
			has_frames = true;
		else if (!read_argument(argv[i], "objects", 1, OBJ_LIMIT, &max_vir_obj) &&
			 !read_argument(argv[i], "step", DRAFT, RESTART, &asked))
			return false;
	}
	step = (enum step)asked;
	if (!has_frames && max_phy_obj > max_vir_obj)
		max_phy_obj = max_vir_obj;
	return max_phy_obj <= max_vir_obj;
}

int main(int argc, char **argv)
{
	long id;

	if (!read_arguments(argc, argv)) {
		printf("usage: mem-virtual-objects [step=0..6] [objects=1..%d] "
		       "[frames=0..objects]\n",
		       OBJ_LIMIT);
		return 2;
	}
	init_obj_tab();
	set_obj_fault_handler();
	for (;;) {
		dump_vir_obj_tab();
		if (!read_number("vir obj id> ", &id))
			break;
		if (id < 0 || id >= max_vir_obj) {
			printf("no such object: %ld (0..%d)\n", id, max_vir_obj - 1);
			continue;
		}
		vir_obj_id = (int)id;
		if (!modify_object())
			break;
	}
	printf("\n");
	return 0;
}
