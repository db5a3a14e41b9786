/*
 * glob.c: see glob.h. Only the last * met is ever gone back to: an earlier one
 * that took more could only leave less for it.
 */
#include "lib/glob.h"

#include "lib/string.h"

/* The ] that closes the set at pattern ("[..."), or NULL; a ] right after [ or [! is in it. */
static const char *set_end(const char *pattern)
{
	pattern += pattern[1] == '!' ? 2 : 1;
	return *pattern == '\0' ? NULL : strchr(pattern + 1, ']');
}

static bool set_has(const char *pattern, const char *end, char c)
{
	bool inverted = pattern[1] == '!';

	for (pattern += inverted ? 2 : 1; pattern < end; pattern++) {
		if (pattern[1] == '-' && pattern + 2 < end) {
			if (c >= pattern[0] && c <= pattern[2])
				return !inverted;
			pattern += 2;
		} else if (*pattern == c) {
			return !inverted;
		}
	}
	return inverted;
}

/* What follows the element of pattern that c matches; NULL if it does not. */
static const char *element_match(const char *pattern, char c)
{
	const char *end = *pattern == '[' ? set_end(pattern) : NULL;

	if (end != NULL)
		return set_has(pattern, end, c) ? end + 1 : NULL;
	return *pattern == '?' || *pattern == c ? pattern + 1 : NULL;
}

bool glob_match(const char *pattern, const char *text)
{
	const char *star = NULL;   /* behind the last * */
	const char *resume = NULL; /* the text it has not taken yet */

	while (*text != '\0') {
		const char *next;

		if (*pattern == '*') {
			star = ++pattern;
			resume = text;
			continue;
		}
		next = *pattern == '\0' ? NULL : element_match(pattern, *text);
		if (next != NULL) {
			pattern = next;
			text++;
		} else if (star != NULL) {
			pattern = star;
			text = ++resume;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}
