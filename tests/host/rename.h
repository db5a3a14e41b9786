/*
 * rename.h: included before every file of the host tests, so that lib/string.c
 * can stand beside the C library's functions of the same names, which the
 * sanitizers watch.
 */
#pragma once

#define memcpy lib_memcpy
#define memmove lib_memmove
#define memset lib_memset
#define memcmp lib_memcmp
#define strlen lib_strlen
#define strcmp lib_strcmp
#define strncmp lib_strncmp
#define strchr lib_strchr
#define strrchr lib_strrchr
#define strstr lib_strstr
