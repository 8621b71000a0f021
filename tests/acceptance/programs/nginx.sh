#!/bin/sh
# SPDX-License-Identifier: MIT
# nginx.sh PORT - serves a page with two workers of another user, then stops.
set -e
mkdir -p /srv/www
echo 'a page' >/srv/www/index.html
cat >/root/nginx.conf <<END
user www-data;
worker_processes 2;
pid /run/nginx-test.pid;
events {}
http { server { listen 127.0.0.1:$1; root /srv/www; } }
END
nginx -t -q -c /root/nginx.conf
nginx -c /root/nginx.conf
perl -e '
	use IO::Socket::INET;
	my $peer = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$ARGV[0]") or die $!;
	print $peer "GET / HTTP/1.0\r\n\r\n";
	s/\r// and print for grep { /200 OK/ } my @lines = <$peer>;
	print $lines[-1];' "$1"
stat -c %U /var/log/nginx/access.log
nginx -c /root/nginx.conf -s stop 2>/dev/null
for _ in $(seq 400); do
	test -e /run/nginx-test.pid || break
	sleep 0.1
done
test ! -e /run/nginx-test.pid
echo stopped
