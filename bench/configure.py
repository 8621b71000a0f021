# SPDX-License-Identifier: MIT
"""Write a `configure` script like autoconf's, which checks the C compiler and its library.

Every check writes a small C file and compiles it; it also links functions and runs size checks.
Then it writes the result to config.log and removes its files. At the end the script writes
config.h and a Makefile. A check starts gcc's programs and a handful of sh, sed, cat and rm.

Does not know: where the script runs.
"""

from __future__ import annotations

from pathlib import Path

HEADERS = (
    "alloca aio argp arpa/inet assert byteswap complex cpio ctype dirent dlfcn endian err errno "
    "error fcntl fenv float fnmatch getopt glob grp iconv inttypes langinfo libgen limits locale "
    "malloc math monetary netdb netinet/in poll pthread pwd regex sched search semaphore spawn "
    "stdbool strings sys/mman sys/param sys/socket sys/stat sys/resource sys/time sys/wait termios "
    "uchar unistd utime wchar"
)
FUNCTIONS = (
    "alarm btowc chown dup2 error fchdir fdopendir fnmatch fsync ftruncate getcwd getdelim "
    "getdtablesize gethostname getline getopt_long getpagesize getpass getrusage gettimeofday "
    "iconv isblank iswcntrl lchown localeconv lstat mbrtowc mbsinit memchr memmove mempcpy memset "
    "mkdir mmap munmap nl_langinfo obstack_printf pipe2 posix_spawn putenv random readlink regcomp "
    "rmdir secure_getenv select setenv setlocale sigaction snprintf stpcpy strcasecmp strchrnul "
    "strdup strerror_r strndup strnlen strtoul symlink tsearch uselocale utime vasprintf wcwidth "
    "strlcpy arc4random_addrandom setproctitle getprogname"
)
DECLARATIONS = "clearerr_unlocked feof_unlocked fputs_unlocked getenv program_invocation_name"
TYPES = (
    "char short int long void* size_t ssize_t off_t time_t wchar_t wint_t mode_t pid_t "
    "uid_t int64_t uintmax_t ptrdiff_t intptr_t double float socklen_t sigset_t"
)

SCRIPT = """\
#!/bin/sh
# Usage: configure - makes config.h, config.log, config.status and Makefile where it is run.
source=$(dirname "$0")
exec 5>config.log
: >confdefs.h

lower=abcdefghijklmnopqrstuvwxyz./*-
upper=ABCDEFGHIJKLMNOPQRSTUVWXYZ__P_
name() { printf '%s\\n' "$1" | sed "y%$lower%$upper%"; }
checking() { printf 'checking %s... ' "$1"; echo "configure: checking $1" >&5; }
result() { echo "$1"; echo "configure: result: $1" >&5; rm -f conftest conftest.*; }
define() { echo "#define $(name "$1") $2" >>confdefs.h; }

compile() {
\tcat confdefs.h - >conftest.c
\tgcc -g -O2 "$@" conftest.c 2>conftest.err && return
\tcat conftest.err conftest.c | sed 's/^/| /' >&5
\treturn 1
}

answer() {
\tif [ "$1" = 0 ]; then result yes; define "have_$2" 1; else result no; fi
}

check_header() {
\tchecking "for $1.h"
\techo "#include <$1.h>" | compile -c -o conftest.o
\tanswer $? "$1.h"
}

check_function() {
\tchecking "for $1"
\tcompile -fno-builtin -o conftest <<END
char $1 ();
int main (void) { return $1 (); }
END
\tanswer $? "$1"
}

check_declaration() {
\tchecking "whether $1 is declared"
\tcompile -D_GNU_SOURCE -c -o conftest.o <<END
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
int main (void) { (void) $1; return 0; }
END
\tanswer $? "decl_$1"
}

check_type() {
\tchecking "size of $1"
\tcompile -o conftest <<END
#include <inttypes.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <wchar.h>
int main (void) { printf ("%d\\\\n", (int) sizeof ($1)); return 0; }
END
\tsize=$(./conftest) || size=0
\tresult "$size"
\tdefine "sizeof_$1" "$size"
}

find_program() {
\tchecking "for $1"
\tIFS=:
\tfor folder in $PATH; do
\t\t[ -x "$folder/$1" ] && found=$folder/$1 && break
\tdone
\tunset IFS
\tresult "$(basename "$found")"
}

for program in gcc ld make install sed grep mkdir rm; do find_program $program; done
checking 'whether the C compiler works'
echo 'int main (void) { return 0; }' | compile -o conftest && ./conftest || {
\tresult no
\texit 77
}
result yes
"""

END = """\
cat >config.status <<'END'
#!/bin/sh
sed 's/^/\\/\\* /; s/$/ *\\//' "$1/configure.ac" >config.h
sort confdefs.h >>config.h
sed "s%@srcdir@%$1%; s%@CC@%gcc%; s%@CFLAGS@%-g -O2%" "$1/Makefile.in" >Makefile
END
chmod +x config.status
echo 'config.status: creating Makefile and config.h'
./config.status "$source" && rm confdefs.h
"""


def write_configure(folder: Path, checks: int) -> None:
    """Write *folder*/configure with *checks* checks, of each kind in proportion."""
    folder.mkdir()
    kinds = {"header": HEADERS, "function": FUNCTIONS, "declaration": DECLARATIONS, "type": TYPES}
    known = [f"check_{kind} '{name}'\n" for kind, names in kinds.items() for name in names.split()]
    chosen = [known[number * len(known) // checks] for number in range(checks)]
    script = folder / "configure"
    script.write_text(SCRIPT + "".join(chosen) + END)
    script.chmod(0o755)
    (folder / "configure.ac").write_text("what the system has\n")
    (folder / "Makefile.in").write_text("srcdir = @srcdir@\nCC = @CC@\nCFLAGS = @CFLAGS@\n")
