/*
 * types.h: the scalars that must not be mixed, and the usual macros.
 *
 * An address of RAM (paddr_t), an address a CPU uses (vaddr_t) and the number
 * of a frame (pfn_t) are all integers; each has its own name so that a reader
 * sees which one a function wants.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t paddr_t; /* physical address, bytes */
typedef uint64_t vaddr_t; /* virtual address, bytes */
typedef uint32_t pfn_t;   /* physical address / PAGE_SIZE: 16 TiB can be named */
typedef int32_t pid_t;    /* process number, from 1; 0 is the kernel itself */
typedef int32_t tid_t;    /* thread number, from 1, never of two live threads */

#define PFN_NONE ((pfn_t)0xffffffff)

#define PAGE_SHIFT 12
#define PAGE_SIZE 4096u
#define PAGE_MASK (~(vaddr_t)(PAGE_SIZE - 1))

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define CONTAINER_OF(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define ALIGN_UP(n, to) (((n) + (to)-1) / (to) * (to))
#define ALIGN_DOWN(n, to) ((n) / (to) * (to))
#define DIV_ROUND_UP(n, by) (((n) + (by)-1) / (by))

/* Several fields of a struct, stored at once. */
typedef uint32_t __attribute__((may_alias)) uint32_fields_t;
typedef uint64_t __attribute__((may_alias)) uint64_fields_t;

#define LIKELY(condition) __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#define ASSUME(condition) ((condition) ? (void)0 : __builtin_unreachable()) /* cannot be false */

#define MUST_CHECK __attribute__((warn_unused_result)) /* ignoring the result is a warning */
#define NORETURN __attribute__((noreturn))
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))
#define COLD __attribute__((cold))
#define NOINLINE __attribute__((noinline))
#define SLOW_PATH __attribute__((cold, noinline))
#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* One read or write of a variable that another CPU may change meanwhile. */
#define READ_ONCE(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, value) __atomic_store_n(&(x), (value), __ATOMIC_RELAXED)
