/*
 * words.c: see words.h. A word is copied onto itself without its quotes: the
 * write position is never ahead of the read position.
 */
#include "lib/words.h"

#include "lib/errno.h"
#include "lib/string.h"

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Copies "..." or '...' at *from to *to, both moved on; -EINVAL if it does not end. */
static int quoted_copy(char **from, char **to)
{
	char quote = *(*from)++;

	while (**from != quote) {
		if (quote == '"' && **from == '\\' && (*from)[1] != '\0' &&
		    strchr("\"\\$`", (*from)[1]) != NULL)
			(*from)++;
		if (**from == '\0')
			return -EINVAL;
		*(*to)++ = *(*from)++;
	}
	(*from)++;
	return 0;
}

/* Copies a word at *from, and moves *from to the blank or NUL behind it. */
static int word_copy(char **from, char *to)
{
	while (**from != '\0' && !blank(**from)) {
		if (**from == '"' || **from == '\'') {
			int error = quoted_copy(from, &to);

			if (error != 0)
				return error;
			continue;
		}
		if (**from == '\\' && *++*from == '\0')
			return -EINVAL;
		*to++ = *(*from)++;
	}
	/* The blank goes only now: until here *from may have stood at to. */
	if (**from != '\0')
		(*from)++;
	*to = '\0';
	return 0;
}

int words_split(char *line, char **words, unsigned max)
{
	unsigned count = 0;

	for (;;) {
		int error;

		while (blank(*line))
			line++;
		if (*line == '\0')
			return (int)count;
		if (count == max)
			return -E2BIG;
		words[count++] = line;
		error = word_copy(&line, words[count - 1]);
		if (error != 0)
			return error;
	}
}

char *word_next(char **rest)
{
	char *word;

	while (blank(**rest))
		(*rest)++;
	if (**rest == '\0')
		return NULL;
	word = *rest;
	while (**rest != '\0' && !blank(**rest))
		(*rest)++;
	if (**rest != '\0')
		*(*rest)++ = '\0';
	while (blank(**rest))
		(*rest)++;
	return word;
}
