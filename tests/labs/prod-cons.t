#!/usr/bin/env perl
# The blocking queue, sem-prod-cons and mem-prod-cons, the same sources on quire and
# on this machine:
#
# 1. The two differ only where shared variables are read and written.
# 2. Many sizes, on 1, 2 and 4 CPUs and on few frames: nothing lost, doubled or overtaken.
# 3. The one through files calls them, the one through memory never does.
# 4. Ctrl-C and kill at any moment leave nothing behind.
# 5. The program's own account can fail: sources with one thing broken are caught.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use IPC::Open2;

chdir dirname($0) . "/../.." or die "quire: $!\n";
use lib 'tests/labs';
use Lab;

delete @ENV{qw(MEM APPEND RUN TRACE ICOUNT SEED)};
my $FOLDER = 'kernel/programs/labs';
my @SIZES = ('', 'producers=1 consumers=1 items=1 capacity=1',
	'producers=4 consumers=1 items=301 capacity=1',
	'producers=1 consumers=5 items=300 capacity=7',
	'producers=3 consumers=3 items=500 capacity=2',
	'producers=2 consumers=7 items=5 capacity=90');

# What the last line must be.
sub expected {
	my ($size) = @_;
	my $items = $size =~ /items=(\d+)/ ? $1 : 100;
	return "produced $items consumed $items lost 0 duplicated 0 out-of-order 0\n";
}

# ---- The sources ---------------------------------------------------------------------

# Without the opening comment, the #includes and the part on shared variables.
sub common_part {
	my ($text) = @_;
	$text =~ s{\A/\*.*?\n \*\n}{}s or return '';
	$text =~ s{^#include <\S+>\n}{}mg;
	$text =~ s{^/\* ---- The shared variables -.*?(?=^static void shared_add)}{}ms or return '';
	return $text;
}

my ($sem, $mem) = map { file_read("$FOLDER/$_-prod-cons.c") } qw(sem mem);
result(common_part($sem) ne '' && common_part($sem) eq common_part($mem),
	'the sources differ only in the shared variables');
my $file_calls = qr/\b(?:open|read|write|lseek|close|unlink|ftruncate)\(/;
result($sem =~ $file_calls && $mem !~ $file_calls && $mem =~ /\bmmap\(/,
	'no file call is left in mem-prod-cons.c');

# ---- On quire ---------------------------------------------------------------------------

# Runs the script on so many CPUs; a list of [command, what it said].
sub run_on_quire {
	my ($cpus, $append, @lines) = @_;
	my $said = boot('prod-cons', { CPUS => $cpus, APPEND => $append }, @lines);
	return map { [/\A(.*)\n((?s:.*))/] } parts($said);
}

sub check_quire {
	my ($cpus, $append) = @_;
	my @runs = map { my $size = $_; map { "run $_-prod-cons $size" } qw(sem mem) } @SIZES;
	my @said = run_on_quire($cpus, $append, @runs, 'ps', 'check');
	my @wrong = grep { $_->[0] =~ /^run/ && $_->[1] ne expected($_->[0]) } @said;
	my ($ps, $check) = @said[-2, -1];
	result(@said == @runs + 2 && !@wrong, "on quire: $cpus CPUs $append",
		map { "$_->[0]\n$_->[1]" } @wrong);
	result($ps->[1] =~ /\A.*\n\z/ && $check->[1] =~ /^check: ok frames \d+ slots 0 pids 0$/m,
		"on quire: nothing is left, $cpus CPUs $append", $ps->[1], $check->[1]);
}

check_quire(@$_) for [1, ''], [2, ''], [4, ''], [2, 'frames=16'];

sub file_calls_of {
	my ($lab) = @_;
	my @calls = map { $_->[1] =~ /^file_call (\d+)$/m ? $1 : () }
		run_on_quire(2, '', 'vmstat', "run $lab items=50", 'vmstat');
	return @calls == 2 ? $calls[1] - $calls[0] : -1;
}

my ($through_files, $through_memory) = map { file_calls_of("$_-prod-cons") } qw(sem mem);
result($through_files > 50 * 10, 'sem-prod-cons calls files', $through_files);
result($through_memory == 0, 'mem-prod-cons calls no file', $through_memory);

# Ctrl-C, and kill, of runs that have not ended by then; whatever they are at.
sub check_interrupt {
	my ($lab) = @_;
	local %ENV = (%ENV, kernel(), LOG => 'build/test/prod-cons.log', CPUS => 2);
	my $pid = open2(my $from, my $to, 'tests/tools/boot run 2>&1');
	my $text = '';
	my @steps = (
		[qr/quire> \z/, "run $lab items=1000000\n"],
		[qr/items=1000000\r?\n\z/, "\003"],
		[qr/quire> \z/, "a = spawn $lab items=1000000\n"],
		[qr/pid \d+\r?\nquire> \z/, "kill \$a\n"],
		[qr/ok\r?\nquire> \z/, "wait \$a\n"],
		[qr/killed\r?\nquire> \z/, "ps\n"],
		[qr/NAME\r?\nquire> \z/, "check\n"],
		[qr/pids 0\r?\nquire> \z/, "poweroff\n"],
	);
	while (@steps && sysread($from, my $piece, 65536)) {
		$text .= $piece =~ s/\e\[[0-9;?]*[A-Za-z]//gr;
		next unless $text =~ $steps[0][0];
		syswrite $to, (shift @steps)->[1];
	}
	close $to;
	1 while sysread($from, my $rest, 65536);
	waitpid $pid, 0;
	result(!@steps, "on quire: Ctrl-C and kill of $lab", substr($text, -400),
		@steps ? "expected $steps[0][0]" : '');
}

check_interrupt("$_-prod-cons") for qw(sem mem);

# ---- On this machine ------------------------------------------------------------------

my $directory = tempdir(CLEANUP => 1);

sub run_here {
	my ($program, $size) = @_;
	my $said = qx(cd '$directory' && timeout 60 '$program' $size 2>&1);
	return ($said, $? >> 8);
}

for my $lab (qw(sem-prod-cons mem-prod-cons)) {
	my ($program, $why) = compile("$FOLDER/$lab.c", "$directory/$lab");
	result($program, "on Linux: $lab compiles without a warning", $why);
	next unless $program;
	my @wrong = grep { join(' ', run_here($program, $_)) ne expected($_) . ' 0' } @SIZES;
	result(!@wrong, "on Linux: $lab", map { "$_: " . (run_here($program, $_))[0] } @wrong);
	my @left = glob("$directory/prod-cons.*");
	result(!@left, "on Linux: $lab leaves no file", @left);
	my ($said, $status) = run_here($program, 'items=0');
	result($said =~ /^usage: \S*$lab producers=/ && $status == 2,
		"on Linux: $lab says what it takes", $said);
}

# ---- The account can fail -----------------------------------------------------------------

my %BROKEN = (
	'first stays where it is' => ['(?<=shared_set\(FIRST, 0, )\(first \+ 1\) % capacity',
		'first'],
	'one item is not put in' => ['shared_set\(ARRAY, last, item\);',
		'if (item != 7) shared_set(ARRAY, last, item);'],
	'an item comes too late' => ['queue_put\(item\);',
		'queue_put(item == 8 ? 10 : item == 10 ? 8 : item);'],
	'size is not lowered' => ['shared_add\(SIZE, 0, -1\);', ''],
);

broken_caught($mem, \%BROKEN, "$directory/broken", sub {
	my ($said, $status) = run_here("$directory/broken", 'items=40');
	return ($status == 1, $said);
});
results_end();
