/*
 * format.c: a small vsnprintf.
 *
 * A conversion is read into a struct spec by spec_read(), then written by one
 * of text_put() and number_put(). Characters beyond the buffer's end are only
 * counted. What it does not do: floats, %n, wide characters, positions.
 */
#include "lib/format.h"

#include "lib/string.h"

struct output {
	char *buffer;
	size_t size_bytes;
	size_t length;
};

/* A va_list is an array on x86-64; inside a struct its address can be passed on. */
struct arguments {
	va_list list;
};

struct spec {
	bool left, zero, plus, space, alternate;
	bool precise; /* a precision was given */
	size_t width;
	size_t precision;
	int long_count;	 /* 1 for l and z, 2 for ll */
	int short_count; /* 1 for h, 2 for hh */
	char conversion;
};

static void char_put(struct output *out, char c)
{
	if (out->length + 1 < out->size_bytes)
		out->buffer[out->length] = c;
	out->length++;
}

static void fill_put(struct output *out, char c, size_t count)
{
	while (count-- > 0)
		char_put(out, c);
}

static void text_put(struct output *out, const struct spec *spec, const char *text, size_t length)
{
	size_t padding = spec->width > length ? spec->width - length : 0;

	if (!spec->left)
		fill_put(out, ' ', padding);
	for (size_t i = 0; i < length; i++)
		char_put(out, text[i]);
	if (spec->left)
		fill_put(out, ' ', padding);
}

/* Padding, prefix (sign or 0x), zeros, digits, padding: the order C asks for. */
static void number_put(struct output *out, const struct spec *spec, uint64_t magnitude,
		       unsigned base, const char *prefix)
{
	const char *alphabet = spec->conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	char digits[24]; /* 22 octal digits are the longest */
	size_t count = 0, zeros = 0, padding = 0;
	size_t prefix_length = strlen(prefix);

	for (; magnitude != 0; magnitude /= base)
		digits[count++] = alphabet[magnitude % base];
	if (count == 0 && !(spec->precise && spec->precision == 0))
		digits[count++] = '0';
	if (spec->precise && spec->precision > count)
		zeros = spec->precision - count;
	if (spec->conversion == 'o' && spec->alternate && zeros == 0 &&
	    (count == 0 || digits[count - 1] != '0'))
		zeros = 1;
	if (spec->width > prefix_length + zeros + count)
		padding = spec->width - prefix_length - zeros - count;
	if (spec->zero && !spec->left && !spec->precise) {
		zeros += padding;
		padding = 0;
	}
	if (!spec->left)
		fill_put(out, ' ', padding);
	while (*prefix != '\0')
		char_put(out, *prefix++);
	fill_put(out, '0', zeros);
	while (count > 0)
		char_put(out, digits[--count]);
	if (spec->left)
		fill_put(out, ' ', padding);
}

static void signed_put(struct output *out, const struct spec *spec, struct arguments *arguments)
{
	int64_t value;

	if (spec->long_count > 0)
		value = va_arg(arguments->list, long);
	else
		value = va_arg(arguments->list, int);
	if (spec->short_count == 1)
		value = (short)value;
	else if (spec->short_count == 2)
		value = (signed char)value;
	if (value < 0)
		number_put(out, spec, -(uint64_t)value, 10, "-");
	else
		number_put(out, spec, (uint64_t)value, 10,
			   spec->plus ? "+" : spec->space ? " " : "");
}

static void unsigned_put(struct output *out, const struct spec *spec, struct arguments *arguments)
{
	uint64_t value;
	unsigned base = spec->conversion == 'u' ? 10 : spec->conversion == 'o' ? 8 : 16;
	const char *prefix = "";

	if (spec->long_count > 0)
		value = va_arg(arguments->list, unsigned long);
	else
		value = va_arg(arguments->list, unsigned);
	if (spec->short_count == 1)
		value = (unsigned short)value;
	else if (spec->short_count == 2)
		value = (unsigned char)value;
	if (base == 16 && spec->alternate && value != 0)
		prefix = spec->conversion == 'X' ? "0X" : "0x";
	number_put(out, spec, value, base, prefix);
}

static void pointer_put(struct output *out, const struct spec *spec, struct arguments *arguments)
{
	struct spec wide = *spec;

	wide.precise = true;
	wide.precision = 16;
	number_put(out, &wide, (uint64_t)(uintptr_t)va_arg(arguments->list, void *), 16, "0x");
}

static void string_put(struct output *out, const struct spec *spec, const char *text)
{
	size_t length = 0;

	if (text == NULL)
		text = "(null)";
	/* With a precision the text need not end in a NUL. */
	while (!(spec->precise && length == spec->precision) && text[length] != '\0')
		length++;
	text_put(out, spec, text, length);
}

/* A number or *: the value; a negative * is told by *negative. */
static size_t count_read(const char **fmt, struct arguments *arguments, bool *negative)
{
	size_t count = 0;

	*negative = false;
	if (**fmt == '*') {
		int64_t value = va_arg(arguments->list, int);

		(*fmt)++;
		*negative = value < 0;
		return (size_t)(value < 0 ? -value : value);
	}
	while (**fmt >= '0' && **fmt <= '9') {
		count = count * 10 + (size_t)(**fmt - '0');
		(*fmt)++;
	}
	return count;
}

static bool flag_read(struct spec *spec, char c)
{
	switch (c) {
	case '-':
		return spec->left = true;
	case '0':
		return spec->zero = true;
	case '+':
		return spec->plus = true;
	case ' ':
		return spec->space = true;
	case '#':
		return spec->alternate = true;
	default:
		return false;
	}
}

/* Called behind the %; returns what follows the conversion. */
static const char *spec_read(struct spec *spec, const char *fmt, struct arguments *arguments)
{
	bool negative;

	*spec = (struct spec){0};
	while (flag_read(spec, *fmt))
		fmt++;
	spec->width = count_read(&fmt, arguments, &negative);
	spec->left |= negative;
	if (*fmt == '.') {
		fmt++;
		spec->precision = count_read(&fmt, arguments, &negative);
		spec->precise = !negative;
	}
	for (;; fmt++) {
		if (*fmt == 'l' || *fmt == 'z')
			spec->long_count++;
		else if (*fmt == 'h')
			spec->short_count++;
		else
			break;
	}
	spec->conversion = *fmt;
	return *fmt == '\0' ? fmt : fmt + 1;
}

static void conversion_put(struct output *out, const struct spec *spec,
			   struct arguments *arguments, const char *start, const char *end)
{
	char c;

	switch (spec->conversion) {
	case 'd':
	case 'i':
		signed_put(out, spec, arguments);
		break;
	case 'u':
	case 'x':
	case 'X':
	case 'o':
		unsigned_put(out, spec, arguments);
		break;
	case 'p':
		pointer_put(out, spec, arguments);
		break;
	case 'c':
		c = (char)va_arg(arguments->list, int);
		text_put(out, spec, &c, 1);
		break;
	case 's':
		string_put(out, spec, va_arg(arguments->list, const char *));
		break;
	case '%':
		char_put(out, '%');
		break;
	default:
		while (start < end)
			char_put(out, *start++);
	}
}

int format_v(char *buffer, size_t size_bytes, const char *fmt, va_list list)
{
	struct output out = {.buffer = buffer, .size_bytes = size_bytes};
	struct arguments arguments;

	va_copy(arguments.list, list);
	while (*fmt != '\0') {
		struct spec spec;
		const char *start = fmt++;

		if (*start != '%') {
			char_put(&out, *start);
			continue;
		}
		fmt = spec_read(&spec, fmt, &arguments);
		conversion_put(&out, &spec, &arguments, start, fmt);
	}
	va_end(arguments.list);
	if (size_bytes > 0)
		buffer[MIN(out.length, size_bytes - 1)] = '\0';
	return (int)out.length;
}

int format(char *buffer, size_t size_bytes, const char *fmt, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, fmt);
	length = format_v(buffer, size_bytes, fmt, arguments);
	va_end(arguments);
	return length;
}
