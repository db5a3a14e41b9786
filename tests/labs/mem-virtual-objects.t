#!/usr/bin/env perl
# The lab mem-virtual-objects, the same source on quire and on this machine:
#
# 1. Whole sessions in golden/, the handout's among them, byte for byte: on quire
#    through the serial console, here through pipes with the terminal's echo added.
# 2. 240 random sessions, of all steps and sizes, beside a model of the lab's
#    rules (VirtualObjects.pm), which itself agrees with golden/.
# 3. The sessions of step 6 once more with vobj-pages, where the machine's own page
#    faults and lru-exact do the work: the same transcripts.
# 4. The comparison can fail: lab sources with one thing broken each are caught.
#
# SEED=n chooses other sessions.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use IPC::Open2;

chdir dirname($0) . "/../.." or die "quire: $!\n";
use lib 'tests/labs';
use Lab;
use VirtualObjects;

delete @ENV{qw(MEM APPEND RUN TRACE ICOUNT)};
my $NAME = 'mem-virtual-objects';
my $SOURCE = "kernel/programs/labs/$NAME.c";
my $RANDOM_SESSIONS = 240;
my $seed = delete $ENV{SEED} || 1;
$seed = hex $seed if $seed =~ /^0x/i;

# Where two transcripts part.
sub difference {
	my ($expected, $observed) = @_;
	my @expected = split /^/, $expected;
	my @observed = split /^/, $observed;
	for my $i (0 .. $#expected) {
		my $line = $observed[$i] // '(nothing)';
		return 'line ' . ($i + 1) . ": expected $expected[$i]" . "observed $line"
			if $expected[$i] ne $line;
	}
	return @observed > @expected ? "too much: $observed[@expected]" : '';
}

# ---- Sessions ----------------------------------------------------------------------

# A session: { name, command, lines, text, ended }
sub golden_read {
	my ($file) = @_;
	my ($command, @text) = split /^/, file_read($file);
	my @lines = map { /^(?:vir obj id> |[xy] = )(.+)$/ ? $1 : () } @text;
	my $text = join '', @text;
	return {
		name => $file =~ s{.*/|\.txt$}{}gr, text => $text, lines => \@lines,
		command => $command =~ s/^\$ (.*)\n/$1/r,
		ended => $text =~ /> \n$/ ? 'input' : $text =~ /fault/ ? 'fault'
			: $text =~ /^usage/ ? 'usage' : $text =~ /\n\n$/ ? 'word' : 'exit',
	};
}

# The same session with pages instead of objects, or nothing where the machine has no such step.
sub with_pages {
	my ($session) = @_;
	my $command = $session->{command};
	return if $command =~ /step=|frames=0/ || $session->{name} eq 'usage';
	return { %$session, command => $command =~ s/$NAME/vobj-pages/r };
}

sub below { int(rand(shift)) }

# A line as somebody may type it: mostly one number.
sub random_line {
	my ($number) = @_;
	my $kind = below(40);
	return "  $number " if $kind == 0;
	return "+$number" if $kind == 1 && $number =~ /^\d/;
	return $number . ' ' . below(8) if $kind == 2;
	return '' if $kind == 3;
	return $number;
}

sub random_lines {
	my ($objects) = @_;
	my @odd = (-1, $objects, $objects + below(1000), 2147483648, -99999999999,
		'123456789012345678901234567890', 'q', '-', '4x', 'four', '.5');
	my @lines;
	for (1 .. 2 + below(24)) {
		my $id = below(25) ? below($objects) : $odd[below(scalar @odd)];
		push @lines, random_line($id);
		push @lines, random_line(below(2001) - 1000) for 1, 2;
		$lines[-1] = (2147483647, -2147483648)[below(2)] if below(20) == 0;
	}
	$lines[below(scalar @lines)] = $odd[below(scalar @odd)] if below(4) == 0;
	return \@lines;
}

sub random_session {
	my ($number) = @_;
	my %options;
	$options{step} = below(7) if below(3) == 0;
	$options{objects} = 1 + (below(12) ? below(10) : below(100)) if below(2);
	$options{frames} = below(1 + ($options{objects} // 8)) if below(2);
	my $lines = random_lines($options{objects} // 8);
	my $session = VirtualObjects::session(\%options, $lines);
	return {
		name => "$number", text => $session->{text}, ended => $session->{ended},
		command => join(' ', "./$NAME", map { "$_=$options{$_}" } sort keys %options),
		lines => [@$lines[0 .. $session->{used} - 1]],
	};
}

# ---- On quire -------------------------------------------------------------------------

# All sessions in one boot: a list of transcripts.
sub run_on_quire {
	my @sessions = @_;
	my $said = boot($NAME, {}, (map { ($_->{command}, @{ $_->{lines} },
		$_->{ended} eq 'input' ? '^D' : ()) } @sessions), 'check');
	my @parts = parts($said);
	my ($check) = grep { /^check\n/ } @parts;
	result(($check // '') =~ /^check: ok frames \d+ slots 0 pids 0$/m,
		'on quire: check is clean after all sessions', $check // substr($said, -1000));
	return @parts;
}

# The transcript without its command line, and without the report of a fault.
sub quire_matches {
	my ($session, $part) = @_;
	$part = "(no such session was run)\n" unless defined $part;
	$part =~ s/^\Q$session->{command}\E\n// or return difference($session->{command}, $part);
	if ($session->{ended} eq 'fault') {
		my $where = qr/(?:print|modify)_object\+0x[0-9a-f]+/;
		my $report = qr/fault: pid \d+ $NAME tid \d+ cpu \d+: read 0x0{15}[04] at $where/;
		$part =~ s/^$report: bad-address\n(?:  .*\n)+\z//m
			or return "no report of the fault: $part";
	}
	return $part eq $session->{text} ? '' : difference($session->{text}, $part);
}

# ---- On this machine ------------------------------------------------------------------

# How many prompts a line answers.
sub words { return scalar(() = $_[0] =~ /[+-]?\d+|[^\s\d]+/g) }

# Runs the program in the directory; the transcript, as a terminal and a shell would have it.
sub run_here {
	my ($session, $directory) = @_;
	my (undef, @arguments) = split / /, $session->{command};
	my @lines = @{ $session->{lines} };
	my ($text, $answers, $open) = ('', 0, 1);
	my $pid = open2(my $from, my $to, 'sh', '-c', 'cd "$1" && shift && exec ./lab "$@"', 'sh',
		$directory, @arguments);
	local $SIG{PIPE} = 'IGNORE';
	while (sysread($from, my $piece, 65536)) {
		$text .= $piece;
		next unless $text =~ /(?:> |= )\z/;
		# It waits for a number, unless the last line had more than one.
		$answers -= () = $piece =~ /(?:> |[xy] = )/g;
		while ($answers < 0 && $open) {
			my $line = shift @lines;
			if (!defined $line) {
				close $to;
				$open = 0;
				last;
			}
			$text .= "$line\n";
			$answers += words($line);
			syswrite $to, "$line\n";
		}
	}
	close $to if $open;
	waitpid $pid, 0;
	my %status = (input => 0, word => 0, exit => 1, fault => 11);
	my $status = $? & 127 || $? >> 8;
	$text .= "(status $status)\n" if $status != ($status{ $session->{ended} } // $status);
	if (($? & 127) == 11) {
		$text .= "\n" if $text !~ /\n\z/; # the shell takes a fresh line
		$text .= "[1]  segmentation fault  ./$NAME\n";
	}
	return $text;
}

# The first session that differs, and how; '' if none does.
sub first_difference_here {
	my ($directory, @sessions) = @_;
	for my $session (@sessions) {
		my $text = run_here($session, $directory);
		next if $text eq $session->{text};
		return "$session->{name}: $session->{command}\n"
			. difference($session->{text}, $text);
	}
	return '';
}

# ---- The comparison can fail -----------------------------------------------------------

my %BROKEN = (
	'the least id does not leave first' => ['<(?= vir_obj_time\[replaced)', '<='],
	'the most recent leaves' => ['<(?= vir_obj_time\[replaced)', '>'],
	'nothing is written back' => ['save_object\(replaced, .*', '(void)save_object;'],
	'the newcomer is not stamped' => ['vir_obj_time\[vir_obj_id\] = access_time;', ''],
	'it stays after it left' => ['vir_obj_tab\[id\] = NULL;', ''],
	'the old time stays' => ['vir_obj_time\[id\] = 0;', ''],
	'the signal stays blocked' => ['(?<=sigsetjmp\(recovery_point, )1', '0'],
);

# ---- All of it --------------------------------------------------------------------------

my @parts;

sub golden_results {
	my ($how, @sessions) = @_;
	for my $session (@sessions) {
		my $why = quire_matches($session, shift @parts);
		result($why eq '', "on quire$how: golden/$session->{name}", $why);
	}
}

sub random_results {
	my ($program, @sessions) = @_;
	my @wrong;
	for my $session (@sessions) {
		my $why = quire_matches($session, shift @parts);
		push @wrong, "session $session->{name}: $session->{command}\n$why" if $why ne '';
	}
	result(!@wrong, 'on quire: ' . @sessions . " random sessions of $program", $wrong[0],
		scalar(@wrong) . " differ; SEED=$seed repeats them");
}

srand($seed);
my @golden = map { golden_read($_) } sort glob('tests/labs/golden/*.txt');
my @random = map { random_session($_) } 1 .. $RANDOM_SESSIONS;

for my $session (grep { $_->{name} ne 'usage' } @golden) {
	my %options = $session->{command} =~ /(\w+)=(\d+)/g;
	my $model = VirtualObjects::session(\%options, $session->{lines});
	result($model->{text} eq $session->{text}, "the model agrees with golden/$session->{name}",
		difference($session->{text}, $model->{text}));
}

my @golden_pages = map { with_pages($_) } @golden;
my @random_pages = map { with_pages($_) } @random;
@parts = run_on_quire(@golden, @random, @golden_pages, @random_pages);
golden_results('', @golden);
random_results($NAME, @random);
golden_results(' with pages', @golden_pages);
random_results('vobj-pages', @random_pages);

my $said_last = boot("$NAME-status", {}, "./$NAME step=5", '4', 'poweroff $?');
result($said_last =~ /^quire: status 1$/m, 'on quire: its status is 1 after step 5', $said_last);

my $directory = tempdir(CLEANUP => 1);
my ($program, $said) = compile($SOURCE, "$directory/lab");
result($program, 'it compiles here, without a warning', $said);
if ($program) {
	for my $session (@golden) {
		my $why = first_difference_here($directory, $session);
		result($why eq '', "on Linux: golden/$session->{name}", $why);
	}
	my $why = first_difference_here($directory, @random);
	result($why eq '', "on Linux: $RANDOM_SESSIONS random sessions", $why,
		"SEED=$seed repeats them");
	broken_caught(file_read($SOURCE), \%BROKEN, "$directory/lab",
		sub { first_difference_here($directory, @golden, @random) });
}
results_end();
