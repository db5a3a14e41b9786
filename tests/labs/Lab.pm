# What the tests of the labs have in common: results, a boot of quire, the lab's own
# sources compiled here, and those with one thing broken.
package Lab;
use strict;
use warnings;
use Exporter qw(import);
our @EXPORT = qw(result results_end file_read file_write kernel boot parts compile broken_caught);

my $FOLDER = 'kernel/programs/labs';
my $count = 0;
$| = 1;

# One line of TAP; why: what is said if it is not ok.
sub result {
	my ($ok, $name, @why) = @_;
	$count++;
	print $ok ? '' : 'not ', "ok $count - $name\n";
	print map { "# $_\n" } map { split /\n/, $_ // '' } @why unless $ok;
}

sub results_end { print "1..$count\n" }

sub file_read {
	my ($file) = @_;
	open(my $handle, '<', $file) or die "quire: $file: $!\n";
	return join '', <$handle>;
}

sub file_write {
	my ($file, $text) = @_;
	open(my $handle, '>', $file) or die "quire: $file: $!\n";
	print $handle $text;
	close $handle or die "quire: $file: $!\n";
}

# The image, and how long a boot of it may take: for tests/tools/boot.
sub kernel {
	return (KERNEL => $ENV{RELEASE_IMAGE} || $ENV{DEBUG_IMAGE} || 'build/quire.elf',
		TIMEOUT => $ENV{TIMEOUT} || 120, QUIET => 1);
}

# Boots quire with a script of this name and these lines: what it said. settings: CPUS, APPEND
sub boot {
	my ($name, $settings, @lines) = @_;
	mkdir 'build/test';
	my $script = "build/test/$name.script";
	file_write($script, join '', map { "$_\n" } @lines);
	local %ENV = (%ENV, kernel(), SCRIPT => $script, LOG => "build/test/$name.log", %$settings);
	open(my $boot, '-|', 'tests/tools/boot run 2>&1 </dev/null') or die "quire: $!\n";
	my $said = join '', <$boot>;
	close $boot;
	return $said;
}

# Of what a boot said, each command and its answer: "command\nanswer".
sub parts {
	my ($said) = @_;
	my @parts = split /^quire> /m, $said;
	shift @parts; # what the boot said
	return @parts;
}

# Compiles a source, process.h beside it; the program's path, or undef and what the compiler said.
sub compile {
	my ($source, $program) = @_;
	my $cc = $ENV{HOST_CC} || 'gcc';
	my $said = qx($cc -std=gnu11 -O2 -g -Wall -Wextra -Werror -I$FOLDER -pthread \\
		-o '$program' '$source' 2>&1);
	return ($? == 0 ? $program : undef, $said);
}

# broken: { what => [pattern, what stands in its place] }. Each is compiled as the program, and
# caught() tells whether it is noticed, and what it said.
sub broken_caught {
	my ($source, $broken, $program, $caught) = @_;
	for my $what (sort keys %$broken) {
		my ($pattern, $instead) = @{ $broken->{$what} };
		my $changed = $source =~ s/$pattern/$instead/r;
		file_write("$program.c", $changed);
		my ($built, $why) = compile("$program.c", $program);
		my ($noticed, $said) = $built ? $caught->() : (0, $why);
		result($changed ne $source && $noticed, "caught: $what", $said);
	}
}

1;
