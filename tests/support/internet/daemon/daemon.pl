#!/usr/bin/perl
# Says hi on a port of the kernel's choice, at every address, and where that is in /run/uwt-lab-daemon.address.
use strict;
use warnings;
use IO::Socket::INET;

my $server = IO::Socket::INET->new(Listen => 5, LocalAddr => '0.0.0.0:0') or die "listen: $@";
my $file = '/run/uwt-lab-daemon.address';
open my $said, '>', "$file.part" or die "$file: $!";
print $said $server->sockhost, ' ', $server->sockport, "\n";
close $said or die "$file: $!";
rename "$file.part", $file or die "$file: $!";
while (my $peer = $server->accept) {
    print $peer "hi\n";
    close $peer;
}
