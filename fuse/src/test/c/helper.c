/* A process that uses a mount as the tests say. Usage: helper COMMAND FILE...
 *   map FILE BYTES     maps FILE shared; then, from standard input: "l OFF" prints the byte there, "s OFF N" stores, "m" msyncs
 *   pread FILE OFF     opens FILE, prints the byte at OFF, then one more for each line of standard input
 *   lock FILE          waits for a write lock on all of FILE; prints "locked" or the errno; holds it until standard input ends
 *   testlock FILE      prints the type of the lock that stands in the way (F_UNLCK = 2)
 *   rename FROM TO N   renameat2 with flags N; prints 0 or the errno
 *   tmpfile DIR        makes a file without a name, writes and reads it back; prints its link count
 *   copy FROM TO N     copy_file_range of N bytes; prints how many
 *   punch FILE OFF N   punches a hole; prints 0 or the errno
 *   seek FILE OFF W    lseek SEEK_DATA (3) or SEEK_HOLE (4); prints the offset or -errno
 *   birth FILE         prints the birth time from statx
 *   ioctl FILE         prints the errno of an unknown ioctl
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int say(long n) { printf("%ld\n", n); fflush(stdout); return 0; }
static int result(long r) { return say(r < 0 ? -(long)errno : r); }
static int need(int fd) { if (fd < 0) { result(-1); exit(1); } return fd; }
static void on_signal(int s) { (void)s; }

int main(int argc, char **argv)
{
	const char *cmd = argc > 2 ? argv[1] : "";
	char line[64];
	struct sigaction a = { .sa_handler = on_signal };
	sigaction(SIGUSR1, &a, 0);

	if (!strcmp(cmd, "map")) {
		size_t n = atol(argv[3]);
		volatile unsigned char *m = mmap(0, n, PROT_READ | PROT_WRITE, MAP_SHARED, need(open(argv[2], O_RDWR)), 0);
		if (m == MAP_FAILED)
			return result(-1);
		while (fgets(line, sizeof line, stdin)) {
			long off = 0, v = 0;
			sscanf(line + 1, "%ld %ld", &off, &v);
			if (line[0] == 'l') say(m[off]);
			if (line[0] == 's') { m[off] = v; say(v); }
			if (line[0] == 'm') result(msync((void *)m, n, MS_SYNC));
		}
	} else if (!strcmp(cmd, "pread")) {
		int fd = need(open(argv[2], O_RDONLY));
		do {
			unsigned char c;
			long r = pread(fd, &c, 1, atol(argv[3]));
			say(r == 1 ? c : r < 0 ? -errno : -1000);
		} while (fgets(line, sizeof line, stdin));
	} else if (!strcmp(cmd, "lock")) {
		struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
		int fd = need(open(argv[2], O_RDWR));
		puts("waiting"); fflush(stdout);
		if (fcntl(fd, F_SETLKW, &l))
			return result(-1);
		puts("locked"); fflush(stdout);
		while (fgets(line, sizeof line, stdin)) ;
	} else if (!strcmp(cmd, "testlock")) {
		struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
		if (fcntl(need(open(argv[2], O_RDWR)), F_GETLK, &l))
			return result(-1);
		say(l.l_type);
	} else if (!strcmp(cmd, "rename")) {
		result(renameat2(AT_FDCWD, argv[2], AT_FDCWD, argv[3], atoi(argv[4])));
	} else if (!strcmp(cmd, "tmpfile")) {
		struct stat st;
		char c = 'x', d = 0;
		int fd = need(open(argv[2], O_TMPFILE | O_RDWR, 0600));
		if (pwrite(fd, &c, 1, 5) != 1 || pread(fd, &d, 1, 5) != 1 || d != 'x' || fstat(fd, &st))
			return result(-1);
		say(st.st_nlink);
	} else if (!strcmp(cmd, "copy")) {
		result(copy_file_range(need(open(argv[2], O_RDONLY)), 0, need(open(argv[3], O_RDWR | O_CREAT, 0600)), 0, atol(argv[4]), 0));
	} else if (!strcmp(cmd, "punch")) {
		result(fallocate(need(open(argv[2], O_RDWR)), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, atol(argv[3]), atol(argv[4])));
	} else if (!strcmp(cmd, "seek")) {
		result(lseek(need(open(argv[2], O_RDONLY)), atol(argv[3]), atoi(argv[4])));
	} else if (!strcmp(cmd, "birth")) {
		struct statx x;
		if (statx(AT_FDCWD, argv[2], 0, STATX_BTIME, &x))
			return result(-1);
		say(x.stx_mask & STATX_BTIME ? x.stx_btime.tv_sec : -1);
	} else if (!strcmp(cmd, "ioctl")) {
		int n = 0;
		result(ioctl(need(open(argv[2], O_RDONLY)), _IOR('s', 1, int), &n));
	} else {
		return 2;
	}
	return 0;
}
