# Glob.pm: FILTER=, as the tools in Perl take it.
package Glob;
use strict;
use warnings;
use Exporter qw(import);
our @EXPORT = qw(glob_matches);

# Does the glob, of `*` and `?`, match all of the text?
sub glob_matches {
	my ($glob, $text) = @_;
	my %wild = ('*' => '.*', '?' => '.');
	my $pattern = join '', map { $wild{$_} // quotemeta } split //, $glob;
	return $text =~ /^$pattern$/s;
}

1;
