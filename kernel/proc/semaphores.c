/*
 * semaphores.c: see semaphores.h.
 *
 * Invariants, under the lock:
 *  1. holders of a place is the number of processes in whose `semaphores` its
 *     bit is set. A place with a name, a holder or a user is used.
 *  2. users is the number of threads inside semaphore_down(); each was of a
 *     process that held it, and keeps it from going.
 *  3. A place's generation grows when it is given out, so an old handle fails.
 *  4. A semaphore's word has its place's generation, and a handle names both.
 *     So P and V of who need not wait are one exchange of that word, without
 *     the lock: it fails if the generation is past. Nothing is half done in
 *     between, so they need no gate either.
 * Lock: `semaphores_lock`, for all but the words. A call that overlaps with a close
 * of the same process may still take or give one.
 */
#include "kernel/proc/semaphores.h"

#include "kernel/mm/check.h"
#include "kernel/proc/process.h"
#include "kernel/sched/gate.h"
#include "kernel/sched/semaphore.h"
#include "lib/errno.h"
#include "lib/string.h"

static struct spinlock semaphores_lock = SPINLOCK(TEST);

struct place {
	struct semaphore semaphore; /* marked with the place's generation */
	unsigned holders GUARDED_BY(semaphores_lock);
	unsigned users GUARDED_BY(semaphores_lock);
	bool used GUARDED_BY(semaphores_lock);
	char name[SEMAPHORE_NAME_BYTES] GUARDED_BY(semaphores_lock); /* "": none */
};
STATIC_ASSERT(SEMAPHORES_MAX <= 64); /* a process's are the bits of a word */

#define GENERATION_MAX 0x7fffffffu /* a handle is not negative */

static struct place places[SEMAPHORES_MAX];

static uint64_t bit_of(const struct place *place)
{
	return 1ull << (place - places);
}

static uint32_t generation_of(const struct place *place)
{
	return semaphore_word_mark(READ_ONCE(place->semaphore.word));
}

static int64_t handle_of(const struct place *place)
{
	return (int64_t)generation_of(place) << 32 | (place - places);
}

/*
 * The place that the handle names, with its semaphore's word, if the process holds it. Without the
 * lock that may be over at once; but an exchange of that word fails when the generation is past.
 */
static struct place *place_find(int64_t handle, uint64_t *word)
{
	uint64_t number = (uint64_t)handle % SEMAPHORES_MAX;
	struct place *place = &places[number];

	*word = READ_ONCE(place->semaphore.word);
	if ((uint64_t)handle != ((uint64_t)semaphore_word_mark(*word) << 32 | number) ||
	    !(READ_ONCE(process_current()->semaphores) >> number & 1))
		return NULL;
	return place;
}

static struct place *place_named(const char *name) REQUIRES(semaphores_lock)
{
	for (unsigned i = 0; i < SEMAPHORES_MAX; i++)
		if (places[i].used && strcmp(places[i].name, name) == 0)
			return &places[i];
	return NULL;
}

static uint32_t generation_next(const struct place *place)
{
	return (generation_of(place) + 1) & GENERATION_MAX;
}

static struct place *place_make(const char *name, uint64_t value, int *error)
	REQUIRES(semaphores_lock)
{
	for (unsigned i = 0; i < SEMAPHORES_MAX; i++) {
		struct place *place = &places[i];

		if (place->used)
			continue;
		*error = semaphore_init_marked(&place->semaphore, (int64_t)MIN(value, UINT32_MAX),
					       generation_next(place));
		if (*error)
			return NULL;
		place->used = true;
		place->holders = place->users = 0;
		(void)string_copy(place->name, name, sizeof(place->name));
		return place;
	}
	*error = -ENFILE;
	return NULL;
}

static void place_hold(struct place *place, struct process *process) REQUIRES(semaphores_lock)
{
	if (!(process->semaphores & bit_of(place)))
		place->holders++;
	process->semaphores |= bit_of(place);
}

/* The place may be given out again if it has no name, no holder and nobody waits there. */
static void place_leave(struct place *place) REQUIRES(semaphores_lock)
{
	if (place->holders == 0 && place->users == 0 && place->name[0] == '\0')
		place->used = false;
}

static void place_drop(struct place *place, struct process *process) REQUIRES(semaphores_lock)
{
	process->semaphores &= ~bit_of(place);
	place->holders--;
	place_leave(place);
}

/* ---- Inside the gate ---------------------------------------------------------- */

static int64_t open_locked(const char *name, int flags, uint64_t value) REQUIRES(semaphores_lock)
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
	irq = spin_lock_irq(&semaphores_lock);
	handle = open_locked(name, flags, value);
	spin_unlock_irq(&semaphores_lock, irq);
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
	flags = spin_lock_irq(&semaphores_lock);
	place = place_named(name);
	if (place) {
		place->name[0] = '\0';
		place_leave(place);
	}
	spin_unlock_irq(&semaphores_lock, flags);
	return place ? 0 : -ENOENT;
}

static int down_inside(int64_t handle)
{
	uint64_t flags = spin_lock_irq(&semaphores_lock);
	uint64_t word;
	struct place *place = place_find(handle, &word);
	int error;

	if (place)
		place->users++;
	spin_unlock_irq(&semaphores_lock, flags);
	if (!place)
		return -EINVAL;
	error = semaphore_wait(&place->semaphore);
	flags = spin_lock_irq(&semaphores_lock);
	place->users--;
	place_leave(place);
	spin_unlock_irq(&semaphores_lock, flags);
	return error;
}

enum short_call { TRY_DOWN, UP, CLOSE, END };

/* From here on an exchange of an older word fails, and handles with it. */
static void place_expire(struct place *place)
{
	struct semaphore *semaphore = &place->semaphore;
	uint64_t word;

	do
		word = READ_ONCE(semaphore->word);
	while (!semaphore_exchange(semaphore, word,
				   semaphore_word(generation_next(place), (uint32_t)word)));
}

/* What does not wait is done under the lock. */
static int short_locked(struct place *place, enum short_call call) REQUIRES(semaphores_lock)
{
	switch (call) {
	case TRY_DOWN:
		return semaphore_try_wait(&place->semaphore);
	case UP:
		return semaphore_post(&place->semaphore);
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
		place_expire(place);
		return 0;
	}
}

static int short_inside(int64_t handle, enum short_call call)
{
	uint64_t flags = spin_lock_irq(&semaphores_lock);
	uint64_t word;
	struct place *place = place_find(handle, &word);
	int result = place ? short_locked(place, call) : -EINVAL;

	spin_unlock_irq(&semaphores_lock, flags);
	return result;
}

static int count_inside(int64_t handle, int *user_count)
{
	uint64_t word;
	int count;

	if (!place_find(handle, &word))
		return -EINVAL;
	count = semaphore_word_count(word);
	return vmap_buffer_write(user_count, &count, sizeof(count));
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
	flags = spin_lock_irq(&semaphores_lock);
	handle = open_locked("", SEMAPHORE_CREATE, value);
	spin_unlock_irq(&semaphores_lock, flags);
	gate_leave();
	return handle;
}

int semaphore_close(int64_t handle)
{
	return INSIDE_GATE(short_inside(handle, CLOSE));
}

int semaphore_end(int64_t handle)
{
	return INSIDE_GATE(short_inside(handle, END));
}

int semaphore_unlink(const char *name)
{
	return INSIDE_GATE(unlink_inside(name));
}

int semaphore_down(int64_t handle)
{
	uint64_t word;
	struct place *place = place_find(handle, &word);

	if (LIKELY(place) && semaphore_wait_quick(&place->semaphore, word))
		return 0;
	return INSIDE_GATE(down_inside(handle));
}

int semaphore_try_down(int64_t handle)
{
	return INSIDE_GATE(short_inside(handle, TRY_DOWN));
}

int semaphore_up(int64_t handle)
{
	uint64_t word;
	struct place *place = place_find(handle, &word);

	if (LIKELY(place) && semaphore_post_quick(&place->semaphore, word))
		return 0;
	return INSIDE_GATE(short_inside(handle, UP));
}

int semaphore_count(int64_t handle, int *count)
{
	return INSIDE_GATE(count_inside(handle, count));
}

/* ---- Processes ------------------------------------------------------------------ */

void semaphores_inherit(struct process *child, const struct process *parent)
{
	uint64_t flags = spin_lock_irq(&semaphores_lock);

	for (unsigned i = 0; i < SEMAPHORES_MAX; i++)
		if (parent->semaphores & 1ull << i)
			place_hold(&places[i], child);
	spin_unlock_irq(&semaphores_lock, flags);
}

void semaphores_release(struct process *process)
{
	uint64_t flags = spin_lock_irq(&semaphores_lock);

	for (unsigned i = 0; i < SEMAPHORES_MAX; i++)
		if (process->semaphores & 1ull << i)
			place_drop(&places[i], process);
	spin_unlock_irq(&semaphores_lock, flags);
}

static void count_holders(struct process *process, void *context)
{
	unsigned *holders = context;

	for (unsigned i = 0; i < SEMAPHORES_MAX; i++)
		holders[i] += (process->semaphores >> i) & 1;
}

static void place_check(struct place *place, unsigned holders, struct check *check)
	REQUIRES(semaphores_lock)
{
	unsigned counted = place->used ? place->holders : 0;
	uint64_t word = READ_ONCE(place->semaphore.word);
	long number = place - places;

	if (holders != counted)
		check_fail(check, 13, "semaphore %ld has %u holders and counts %u", number, holders,
			   counted);
	if (!place->used || !wait_queue_first(&place->semaphore.waiters))
		return;
	if (semaphore_word_count(word))
		check_fail(check, 13, "semaphore %ld has the count %d and a waiter", number,
			   semaphore_word_count(word));
	if (!(word & SEMAPHORE_WAITED))
		check_fail(check, 13, "semaphore %ld has a waiter that no post sees", number);
}

void semaphores_check(struct check *check)
{
	unsigned holders[SEMAPHORES_MAX] = {0};
	uint64_t flags;

	process_visit_quiet(count_holders, holders);
	flags = spin_lock_irq(&semaphores_lock);
	for (unsigned i = 0; i < SEMAPHORES_MAX; i++)
		place_check(&places[i], holders[i], check);
	spin_unlock_irq(&semaphores_lock, flags);
}
