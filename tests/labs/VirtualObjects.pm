# What mem-virtual-objects prints, computed from the lab's rules alone: a model,
# to be compared with the program. Nothing of the program's source is in it.
#
#   my $session = VirtualObjects::session({ step => 6 }, [ '4', '4', '4' ]);
#   $session->{text}    the transcript, each line of input echoed where it is read
#   $session->{used}    lines of input that were read
#   $session->{ended}   'input' (it asked for more), 'word', 'exit' or 'fault'
#
# Rules. At most `frames` of `objects` objects are present, each with a time of
# access. The present one with the smallest time leaves, the lowest id among
# equals; its time becomes 0; the newcomer gets its place and the current time.
# Time goes by one when an object was modified, and stamps it.
package VirtualObjects;
use strict;
use warnings;
use Math::BigInt;

# A terminal: lines, each echoed when it is read; what is left of the last one.
sub next_number {
	my ($self) = @_;
	for (;;) {
		$self->{rest} =~ s/^\s+//;
		last if $self->{rest} ne '';
		if ($self->{used} == @{ $self->{lines} }) {
			$self->{ended} = 'input';
			return;
		}
		my $line = $self->{lines}[$self->{used}++];
		$self->{text} .= "$line\n";
		$self->{rest} = $line;
	}
	if ($self->{rest} =~ s/^([+-]?\d+)//) {
		my $number = Math::BigInt->new($1);
		my ($low, $high) = map { Math::BigInt->new($_) }
			'-9223372036854775808', '9223372036854775807';
		return $number < $low ? $low : $number > $high ? $high : $number;
	}
	$self->{ended} = 'word';
	return;
}

sub table {
	my ($self) = @_;
	return if $self->{step} < 3;
	my ($place, $time) = @$self{qw(place time)};
	my @shown = map { sprintf '[%02d %02d]', $place->{$_} // -1, $time->{$_} // 0 }
		0 .. $self->{objects} - 1;
	$self->{text} .= join('', @shown) . "\n";
}

# The object is absent. True if the program goes on.
sub fault {
	my ($self, $id) = @_;
	my ($place, $time) = @$self{qw(place time)};
	if ($self->{step} < 4) {
		$self->{ended} = 'fault';
		$self->{text} .= "\n" if $self->{text} !~ /\n\z/; # the shell takes a fresh line
		$self->{text} .= "[1]  segmentation fault  ./mem-virtual-objects\n";
		return 0;
	}
	table($self);
	my ($leaves) = sort { $time->{$a} <=> $time->{$b} || $a <=> $b } keys %$place;
	if ($self->{step} == 4 || !defined $leaves) {
		$self->{ended} = 'exit';
		$self->{text} .= "no replaced object\n";
		return 0;
	}
	$self->{text} .= "Replace vir obj $leaves (phy obj $place->{$leaves})"
		. " to store vir obj $id\n";
	$place->{$id} = delete $place->{$leaves};
	delete $time->{$leaves};
	$time->{$id} = $self->{now};
	table($self);
	return 1 if $self->{step} == 6;
	$self->{ended} = 'exit';
	$self->{text} .= "not yet ready\n";
	return 0;
}

# One object; false if the program ends.
sub modify {
	my ($self, $id) = @_;
	my $value = $self->{values};
	return 0 if !exists $self->{place}{$id} && !fault($self, $id);
	$value->{$id} //= [0, 0];
	$self->{text} .= "vir_obj_tab[$id] = ($value->{$id}[0], $value->{$id}[1])\n";
	my @new;
	for my $axis (qw(x y)) {
		$self->{text} .= "$axis = ";
		my $number = next_number($self);
		return 0 unless defined $number;
		if ($number < -2**31 || $number > 2**31 - 1) { # no number that fits an object
			$self->{ended} = 'word';
			return 0;
		}
		push @new, $number;
	}
	$value->{$id} = \@new;
	$self->{time}{$id} = ++$self->{now};
	$self->{text} .= "vir_obj_tab[$id] = ($new[0], $new[1])\n";
	return 1;
}

sub session {
	my ($options, $lines) = @_;
	my $self = {
		step => 6, objects => 8, %$options, lines => $lines,
		text => '', rest => '', used => 0, ended => '', now => 0, values => {},
	};
	$self->{frames} //= $self->{objects} < 4 ? $self->{objects} : 4;
	my @present = $self->{step} >= 2 ? (0 .. $self->{frames} - 1) : ();
	$self->{place} = { map { $_ => $_ } @present };
	$self->{time} = { map { $_ => 0 } @present };
	for (;;) {
		table($self);
		$self->{text} .= 'vir obj id> ';
		my $id = next_number($self);
		last unless defined $id;
		if ($id < 0 || $id >= $self->{objects}) {
			my $last = $self->{objects} - 1;
			$self->{text} .= "no such object: $id (0..$last)\n";
		} elsif (!modify($self, int($id->numify))) {
			last;
		}
	}
	$self->{text} .= "\n" if $self->{ended} eq 'input' || $self->{ended} eq 'word';
	return $self;
}

1;
