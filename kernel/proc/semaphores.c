/*
 * semaphores.c: see semaphores.h.
 *
 * Invariants, under the lock:
 *  1. holders of a place is the number of processes in whose `semaphores` its
 *     bit is set. A place with a name or a holder is used.
 *  2. users is the number of threads inside semaphore_down(); each is of a
 *     process that holds it, and keeps it from going.
 *  3. A place's generation grows when it is given out, so an old handle fails.
 * Lock: `semaphores`, of the class of programs' semaphores, outside each
 * semaphore's own.
 */
#include "kernel/proc/semaphores.h"

#include "kernel/mm/check.h"
#include "kernel/proc/process.h"
#include "kernel/sched/gate.h"
#include "kernel/sched/semaphore.h"
#include "lib/errno.h"
#include "lib/string.h"

struct place {
	struct semaphore semaphore;
	uint32_t generation;
	unsigned holders, users;
	bool used;
	char name[SEMAPHORE_NAME_BYTES]; /* "": none */
};
STATIC_ASSERT(SEMAPHORES_MAX <= 64); /* a process's are the bits of a word */

static struct {
	struct spinlock lock;
	struct place places[SEMAPHORES_MAX];
} table = {.lock = SPINLOCK(TEST)};

static uint64_t bit_of(const struct place *place)
{
	return 1ull << (place - table.places);
}

static int64_t handle_of(const struct place *place)
{
	return (int64_t)(place->generation & 0x7fffffff) << 32 | (place - table.places);
}

/* The place that the handle names, if the process holds it. The lock is held. */
static struct place *place_find(int64_t handle)
{
	uint64_t number = (uint64_t)handle & 0xffffffff;
	struct place *place = &table.places[number % SEMAPHORES_MAX];

	if (handle < 0 || number >= SEMAPHORES_MAX || !place->used || handle_of(place) != handle ||
	    !(process_current()->semaphores & bit_of(place)))
		return NULL;
	return place;
}

static struct place *place_named(const char *name)
{
	for (unsigned i = 0; i < SEMAPHORES_MAX; i++)
		if (table.places[i].used && strcmp(table.places[i].name, name) == 0)
			return &table.places[i];
	return NULL;
}

static struct place *place_make(const char *name, uint64_t value, int *error)
{
	for (unsigned i = 0; i < SEMAPHORES_MAX; i++) {
		struct place *place = &table.places[i];

		if (place->used)
			continue;
		*error = semaphore_init(&place->semaphore, (int64_t)MIN(value, UINT32_MAX));
		if (*error)
			return NULL;
		place->used = true;
		place->generation++;
		place->holders = place->users = 0;
		(void)string_copy(place->name, name, sizeof(place->name));
		return place;
	}
	*error = -ENFILE;
	return NULL;
}

static void place_hold(struct place *place, struct process *process)
{
	if (!(process->semaphores & bit_of(place)))
		place->holders++;
	process->semaphores |= bit_of(place);
}

static void place_drop(struct place *place, struct process *process)
{
	process->semaphores &= ~bit_of(place);
	if (--place->holders == 0 && place->name[0] == '\0')
		place->used = false;
}

/* ---- Inside the gate ---------------------------------------------------------- */

static int64_t open_locked(const char *name, int flags, uint64_t value)
{
	struct place *place = name[0] ? place_named(name) : NULL;
	int error = 0;

	if (place && (flags & (SEMAPHORE_CREATE | SEMAPHORE_EXCLUSIVE)) ==
			     (SEMAPHORE_CREATE | SEMAPHORE_EXCLUSIVE))
		return -EEXIST;
	if (!place && !(flags & SEMAPHORE_CREATE))
		return -ENOENT;
	if (!place)
		place = place_make(name, value, &error);
	if (!place)
		return error;
	place_hold(place, process_current());
	return handle_of(place);
}

static int64_t open_inside(const char *user_name, int flags, uint64_t value)
{
	char name[SEMAPHORE_NAME_BYTES];
	int length = vmap_buffer_text(name, user_name, sizeof(name));
	uint64_t irq;
	int64_t handle;

	if (length <= 0 || flags & ~(SEMAPHORE_CREATE | SEMAPHORE_EXCLUSIVE))
		return length < 0 ? length : -EINVAL;
	irq = spin_lock_irq(&table.lock);
	handle = open_locked(name, flags, value);
	spin_unlock_irq(&table.lock, irq);
	return handle;
}

static int unlink_inside(const char *user_name)
{
	char name[SEMAPHORE_NAME_BYTES];
	int length = vmap_buffer_text(name, user_name, sizeof(name));
	struct place *place;
	uint64_t flags;

	if (length <= 0)
		return length < 0 ? length : -ENOENT;
	flags = spin_lock_irq(&table.lock);
	place = place_named(name);
	if (place) {
		place->name[0] = '\0';
		if (place->holders == 0)
			place->used = false;
	}
	spin_unlock_irq(&table.lock, flags);
	return place ? 0 : -ENOENT;
}

static int down_inside(int64_t handle)
{
	uint64_t flags = spin_lock_irq(&table.lock);
	struct place *place = place_find(handle);
	int error;

	if (place)
		place->users++;
	spin_unlock_irq(&table.lock, flags);
	if (!place)
		return -EINVAL;
	error = semaphore_wait(&place->semaphore);
	flags = spin_lock_irq(&table.lock);
	place->users--;
	spin_unlock_irq(&table.lock, flags);
	return error;
}

enum short_call { TRY_DOWN, UP, COUNT_OF, CLOSE, END };

/* What does not wait is done under the lock. */
static int short_locked(struct place *place, enum short_call call, int *count)
{
	switch (call) {
	case TRY_DOWN:
		return semaphore_try_wait(&place->semaphore);
	case UP:
		return semaphore_post(&place->semaphore);
	case COUNT_OF:
		*count = semaphore_value(&place->semaphore);
		return 0;
	case CLOSE:
		if (place->users && place->holders == 1)
			return -EBUSY;
		place_drop(place, process_current());
		return 0;
	default:
		if (place->name[0])
			return -EINVAL;
		if (place->users)
			return -EBUSY;
		/* Other holders keep the bit until they end: a handle of theirs fails. */
		place_drop(place, process_current());
		place->generation++;
		return 0;
	}
}

static int short_inside(int64_t handle, enum short_call call, int *count)
{
	uint64_t flags = spin_lock_irq(&table.lock);
	struct place *place = place_find(handle);
	int result = place ? short_locked(place, call, count) : -EINVAL;

	spin_unlock_irq(&table.lock, flags);
	return result;
}

/* ---- The services ------------------------------------------------------------- */

int64_t semaphore_open(const char *name, int flags, uint64_t value)
{
	return INSIDE_GATE(open_inside(name, flags, value));
}

int64_t semaphore_make(uint64_t value)
{
	uint64_t flags;
	int64_t handle;

	gate_enter();
	flags = spin_lock_irq(&table.lock);
	handle = open_locked("", SEMAPHORE_CREATE, value);
	spin_unlock_irq(&table.lock, flags);
	gate_leave();
	return handle;
}

int semaphore_close(int64_t handle)
{
	return INSIDE_GATE(short_inside(handle, CLOSE, NULL));
}

int semaphore_end(int64_t handle)
{
	return INSIDE_GATE(short_inside(handle, END, NULL));
}

int semaphore_unlink(const char *name)
{
	return INSIDE_GATE(unlink_inside(name));
}

int semaphore_down(int64_t handle)
{
	return INSIDE_GATE(down_inside(handle));
}

int semaphore_try_down(int64_t handle)
{
	return INSIDE_GATE(short_inside(handle, TRY_DOWN, NULL));
}

int semaphore_up(int64_t handle)
{
	return INSIDE_GATE(short_inside(handle, UP, NULL));
}

int semaphore_count(int64_t handle, int *count)
{
	return INSIDE_GATE(short_inside(handle, COUNT_OF, count));
}

/* ---- Processes ------------------------------------------------------------------ */

void semaphores_inherit(struct process *child, const struct process *parent)
{
	uint64_t flags = spin_lock_irq(&table.lock);

	for (unsigned i = 0; i < SEMAPHORES_MAX; i++)
		if (parent->semaphores & 1ull << i)
			place_hold(&table.places[i], child);
	spin_unlock_irq(&table.lock, flags);
}

void semaphores_release(struct process *process)
{
	uint64_t flags = spin_lock_irq(&table.lock);

	for (unsigned i = 0; i < SEMAPHORES_MAX; i++)
		if (process->semaphores & 1ull << i)
			place_drop(&table.places[i], process);
	spin_unlock_irq(&table.lock, flags);
}

static void count_holders(struct process *process, void *context)
{
	unsigned *holders = context;

	for (unsigned i = 0; i < SEMAPHORES_MAX; i++)
		holders[i] += (process->semaphores >> i) & 1;
}

void semaphores_check(struct check *check)
{
	unsigned holders[SEMAPHORES_MAX] = {0};

	process_visit_quiet(count_holders, holders);
	for (unsigned i = 0; i < SEMAPHORES_MAX; i++) {
		struct place *place = &table.places[i];
		uint64_t word;

		if (holders[i] != (place->used ? place->holders : 0))
			check_fail(check, 13, "semaphore %u has %u holders and counts %u", i,
				   holders[i], place->used ? place->holders : 0);
		if (!place->used)
			continue;
		word = READ_ONCE(place->semaphore.word);
		if (!wait_queue_first(&place->semaphore.waiters))
			continue;
		if (semaphore_word_count(word))
			check_fail(check, 13, "semaphore %u has the count %d and a waiter", i,
				   semaphore_word_count(word));
		if (!(word & SEMAPHORE_WAITED))
			check_fail(check, 13, "semaphore %u has a waiter that no post sees", i);
	}
}
