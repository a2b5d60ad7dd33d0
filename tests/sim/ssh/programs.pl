#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Stands in for the programs of a node that jarvis-act starts, under each one's name in NODE/act/bin. It knows exactly
# the options that jarvis-act uses, so that a wrong one is noticed, and writes what systemd 252 and 257, coreutils,
# ZFS and iputils write. What it knows and does stands in ../state; each call is a line of ../calls.
use strict;
use warnings;
use POSIX ();

my ($root, $name) = $0 =~ m{\A(.*)/bin/([a-z]+)\z} or die "$0: not a name of mine\n";
# In the order of `systemctl show`, which is not that of -p.
my @SERVICE = qw(MainPID Result NRestarts ExecMainStatus MemoryCurrent);
my @UNIT = qw(Id Description LoadState ActiveState SubState UnitFileState StateChangeTimestamp ActiveEnterTimestamp
	InactiveEnterTimestamp);
my $SLEEP = 600;

sub note_call {
	open my $calls, '>>', "$root/calls" or return;
	print {$calls} join(' ', $name, @ARGV), "\n";
}

sub slurp {
	my ($path) = @_;
	open my $file, '<', $path or return undef;
	local $/;
	return scalar <$file>;
}

sub parent_of {
	my ($pid) = @_;
	return ((slurp("/proc/$pid/stat") // '') =~ /\) . ([0-9]+)/)[0] // 1;
}

# ── what the control port can make of any of them ───────────────────────────────────────────────────────────────

my %instead = (
	hang => sub { sleep $SLEEP; exit 1 },
	stubborn => sub { $SIG{TERM} = 'IGNORE'; sleep $SLEEP; exit 1 },
	# Half an answer, then nothing more.
	stall => sub { $| = 1; print "MainPID=1\nRes"; sleep $SLEEP; exit 1 },
	flood => sub { print "a line of no use, again and again, until somebody stops this\n" while 1 },
	# More than is kept, but not for ever: the last line is never seen.
	much => sub { print "line $_ ", 'x' x 90, "\n" for 1 .. 5000; print STDERR "so much\n"; exit 0 },
	errors => sub { print STDERR 'e' x 100, "\n" for 1 .. 2000; print "out\n"; exit 3 },
	crash => sub { kill 'SEGV', $$; sleep 5; exit 1 },
	# Something stays behind, and keeps what it inherited.
	leave => sub { fork or do { sleep $SLEEP; exit 0 }; print "left one behind\n"; exit 0 },
	nothing => sub { exit 0 },
	# Everything is tried to look like the end of a good answer.
	forge => sub {
		my $seen = join ' ', map { slurp($_) // '' } '/proc/self/environ', map { ("/proc/$_/environ", "/proc/$_/cmdline") }
			getppid, parent_of(getppid);
		my ($boundary) = $seen =~ /\b([0-9a-f]{32})\b/;
		print "all is well\n\nJARVIS-END ", $boundary // '0' x 32, " exit 0 12 0 0 0 1\n";
		exit 7;
	},
);

# ── systemctl ────────────────────────────────────────────────────────────────────────────────────────────────────

sub read_unit {
	my ($unit) = @_;
	my $text = slurp("$root/state/units/$unit");
	return { Id => $unit, Description => $unit, LoadState => 'not-found', ActiveState => 'inactive', SubState => 'dead',
		Result => 'success', MainPID => 0, ExecMainStatus => 0, NRestarts => 0, MemoryCurrent => '[not set]' } if !defined $text;
	return { map { split /=/, $_, 2 } split /\n/, $text };
}

sub write_unit {
	my ($unit) = @_;
	my $path = "$root/state/units/$unit->{Id}";
	open my $file, '>', "$path.$$" or die "$path: $!\n";
	print {$file} map { "$_=$unit->{$_}\n" } sort keys %{$unit};
	close $file;
	rename "$path.$$", $path;
}

sub show {
	my ($names, $id) = @_;
	my %wanted = map { $_ => 1 } split /,/, $names;
	my $unit = read_unit($id);
	my @known = $id =~ /\.service\z/ ? (@SERVICE, @UNIT) : @UNIT;
	print map { "$_=" . ($unit->{$_} // '') . "\n" } grep { $wanted{$_} } @known;
	return 0;
}

sub change {
	my ($verb, $id) = @_;
	my $unit = read_unit($id);
	if ($unit->{LoadState} ne 'loaded') {
		print STDERR "Failed to $verb $id: Unit $id not found.\n";
		return 5;
	}
	my $now = '@' . time;
	my %stopped = (MainPID => 0, MemoryCurrent => '[not set]', StateChangeTimestamp => $now, InactiveEnterTimestamp => $now);
	if ($verb eq 'stop') {
		write_unit({ %{$unit}, %stopped, ActiveState => 'inactive', SubState => 'dead', Result => 'success' });
	} elsif ($unit->{heals}) {
		write_unit({ %{$unit}, ActiveState => 'active', SubState => 'running', Result => 'success', ExecMainStatus => 0,
			MainPID => $$, MemoryCurrent => 33554432, StateChangeTimestamp => $now, ActiveEnterTimestamp => $now });
	} else {
		write_unit({ %{$unit}, %stopped, ActiveState => 'failed', SubState => 'failed', Result => 'exit-code', ExecMainStatus => 1 });
		print STDERR "Job for $id failed because the control process exited with error code.\n",
			"See \"systemctl status $id\" and \"journalctl -xeu $id\" for details.\n";
		return 1;
	}
	return 0;
}

sub systemctl {
	my $line = join "\0", @ARGV;
	return show($1, $2) if $line =~ /\Ashow\0--no-pager\0--timestamp=unix\0-p\0([A-Za-z,]+)\0--\0([^\0-][^\0]*)\z/;
	return change($1, $2) if $line =~ /\A--no-ask-password\0(restart|stop)\0--\0([^\0-][^\0]*)\z/;
	print STDERR "systemctl: not what jarvis-act asks for: @ARGV\n";
	return 1;
}

# ── the others ───────────────────────────────────────────────────────────────────────────────────────────────────

sub journalctl {
	my $fields = '--output-fields=MESSAGE,PRIORITY,SYSLOG_IDENTIFIER,_PID';
	if (join("\0", @ARGV) !~ /\A--no-pager\0-r\0-o\0json\0\Q$fields\E\0-n\0([0-9]+)\0-u\0([^\0-][^\0]*)\z/) {
		print STDERR "journalctl: not what jarvis-act asks for: @ARGV\n";
		return 1;
	}
	my ($lines, $unit) = ($1, $2);
	my @entries = reverse split /\n/, slurp("$root/state/journal/$unit") // '';
	print map { "$_\n" } @entries > $lines ? @entries[0 .. $lines - 1] : @entries;
	return 0;
}

sub df {
	if ("@ARGV[0 .. 2]" ne '-B1 -l --output=size,used,avail,itotal,iused,fstype,target') {
		print STDERR "df: not what jarvis-act asks for: @ARGV\n";
		return 1;
	}
	my @rows = map { [split / /, $_, 7] } split /\n/, slurp("$root/state/df");
	printf "%13s %13s %13s %10s %9s %-5s %s\n", '1B-blocks', 'Used', 'Avail', 'Inodes', 'IUsed', 'Type', 'Mounted on';
	printf "%13s %13s %13s %10s %9s %-5s %s\n", @{$_} for @rows;
	return 0;
}

# As sudo reads its own file: the whole command must be one of its lines.
sub sudo {
	my ($option, $end, @argv) = @ARGV;
	my %allowed = map { s/\\([,:=\\])/$1/gr => 1 } slurp("$root/sudoers") =~ /^\w+ ALL=\(root\) NOPASSWD: (.*)$/gm;
	if ("$option $end" ne '-n --' || !$allowed{"@argv"}) {
		print STDERR "sudo: a password is required\n";
		return 1;
	}
	exec @argv or return 1;
}

sub zpool {
	my $mark = "$root/state/scrub.$ARGV[1]";
	if (-e $mark) {
		print STDERR "cannot scrub $ARGV[1]: currently scrubbing; use 'zpool scrub -s' to cancel scrub\n";
		return 1;
	}
	open my $file, '>', $mark or return 1;
	return 0;
}

sub ping {
	my ($count, $host) = @ARGV[2, 6];
	print "PING $host (192.168.1.50) 56(84) bytes of data.\n";
	print "64 bytes from 192.168.1.50: icmp_seq=$_ ttl=64 time=0.$_ ms\n" for 1 .. $count;
	print "\n--- $host ping statistics ---\n$count packets transmitted, $count received, 0% packet loss, time 1ms\n";
	return 0;
}

# The real one: what it is given is a real folder.
sub du {
	if (join("\0", @ARGV) !~ /\A-x\0-B1\0--max-depth=1\0--\0\.\z/) {
		print STDERR "du: not what the catalogue asks for: @ARGV\n";
		return 1;
	}
	exec '/usr/bin/du', @ARGV or return 127;
}

# What it says goes to the error side, as that of wget 1.21 and 1.25.
sub wget {
	my ($url) = join("\0", @ARGV) =~ /\A--no-config\0-nv\0--spider\0--tries=1\0--timeout=20\0--max-redirect=0\0--\0(https?:[^\0]*)\z/;
	if (!defined $url) {
		print STDERR "wget: not what the catalogue asks for: @ARGV\n";
		return 2;
	}
	my ($status) = (slurp("$root/state/web") // '') =~ /^\Q$url\E ([0-9]+)$/m;
	$status //= 200;
	if (!$status) {
		print STDERR "failed: Connection timed out.\n";
		return 4;
	}
	if ($status >= 400) {
		print STDERR "Remote file does not exist -- broken link!!!\n";
		return 8;
	}
	print STDERR POSIX::strftime('%Y-%m-%d %H:%M:%S', localtime), " URL: $url $status OK\n";
	return 0;
}

my %programs = (systemctl => \&systemctl, journalctl => \&journalctl, df => \&df, sudo => \&sudo, zpool => \&zpool,
	ping => \&ping, du => \&du, wget => \&wget, exportfs => sub { return 0 });
note_call();
my $does = slurp("$root/state/programs/$name");
$instead{$does}->() if defined $does && $instead{$does};
exit $programs{$name}->();
