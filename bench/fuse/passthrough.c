/*
 * A directory shown through libfuse's low-level API, the reference that the fuse module is measured against: a node is an O_PATH descriptor, found
 * again by (device, inode); a thread for each of several requests, each on its own clone of /dev/fuse, as libfuse does it. The operations and answers
 * are those of Passthrough.java. Usage: passthrough SOURCE MOUNTPOINT; with SPLICE=1 in the environment READ replies are spliced.
 */
#define _GNU_SOURCE
#define FUSE_USE_VERSION 312
#include <errno.h>
#include <fcntl.h>
#include <fuse3/fuse_lowlevel.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VALID 1.0
#define BUCKETS 65536

struct node {
	struct node *next;
	dev_t dev;
	ino_t ino;
	int fd;
	uint64_t lookups;
};

static struct node root = { .lookups = 2 };
static struct node *table[BUCKETS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int spliced;

static struct node *node(fuse_ino_t ino) { return ino == FUSE_ROOT_ID ? &root : (struct node *)ino; }
static struct node **bucket(dev_t dev, ino_t ino) { return &table[(dev * 31 + ino) % BUCKETS]; }

static int find(fuse_ino_t parent, const char *name, struct fuse_entry_param *e)
{
	struct node *n;
	int fd = openat(node(parent)->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), err;

	if (fd < 0)
		return errno;
	memset(e, 0, sizeof *e);
	if (fstatat(fd, "", &e->attr, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) {
		err = errno;
		close(fd);
		return err;
	}
	pthread_mutex_lock(&lock);
	struct node **head = bucket(e->attr.st_dev, e->attr.st_ino);
	for (n = *head; n && (n->ino != e->attr.st_ino || n->dev != e->attr.st_dev); n = n->next) ;
	if (!n) {
		n = calloc(1, sizeof *n);
		n->dev = e->attr.st_dev;
		n->ino = e->attr.st_ino;
		n->fd = fd;
		n->next = *head;
		*head = n;
		fd = -1;
	}
	n->lookups++;
	pthread_mutex_unlock(&lock);
	if (fd >= 0)
		close(fd);
	e->ino = (fuse_ino_t)n;
	e->attr_timeout = e->entry_timeout = VALID;
	return 0;
}

static void forget_one(fuse_ino_t ino, uint64_t count)
{
	struct node *n = node(ino), **p;

	pthread_mutex_lock(&lock);
	if (n != &root && (n->lookups -= count) == 0) {
		for (p = bucket(n->dev, n->ino); *p != n; p = &(*p)->next) ;
		*p = n->next;
		close(n->fd);
		free(n);
	}
	pthread_mutex_unlock(&lock);
}

static void pt_init(void *data, struct fuse_conn_info *conn)
{
	conn->max_write = 1 << 20;
	conn->max_background = 64;
	conn->congestion_threshold = 48;
	conn->want &= ~FUSE_CAP_AUTO_INVAL_DATA;
	conn->want |= conn->capable & FUSE_CAP_EXPLICIT_INVAL_DATA;
	if (!spliced)
		conn->want &= ~(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
}

static void pt_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param e;
	int err = find(parent, name, &e);

	if (err)
		fuse_reply_err(req, err);
	else
		fuse_reply_entry(req, &e);
}

static void pt_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count) { forget_one(ino, count); fuse_reply_none(req); }

static void pt_forget_multi(fuse_req_t req, size_t n, struct fuse_forget_data *f)
{
	for (size_t i = 0; i < n; i++)
		forget_one(f[i].ino, f[i].nlookup);
	fuse_reply_none(req);
}

static void pt_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;

	if (fstatat(node(ino)->fd, "", &st, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		fuse_reply_err(req, errno);
	else
		fuse_reply_attr(req, &st, VALID);
}

static int reopen(fuse_ino_t ino, int flags)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d", node(ino)->fd);
	return open(path, (flags & ~(O_NOFOLLOW | O_DIRECT)) | O_CLOEXEC);
}

static void pt_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int set, struct fuse_file_info *fi)
{
	if (set & FUSE_SET_ATTR_SIZE) {
		int fd = reopen(ino, O_WRONLY);
		if (fd < 0 || ftruncate(fd, st->st_size)) {
			fuse_reply_err(req, errno);
			return;
		}
		close(fd);
	}
	pt_getattr(req, ino, fi);
}

static void pt_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	if (mkdirat(node(parent)->fd, name, mode))
		fuse_reply_err(req, errno);
	else
		pt_lookup(req, parent, name);
}

static void pt_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	fuse_reply_err(req, unlinkat(node(parent)->fd, name, 0) ? errno : 0);
}

static void pt_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	fuse_reply_err(req, unlinkat(node(parent)->fd, name, AT_REMOVEDIR) ? errno : 0);
}

static void pt_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	int fd = reopen(ino, fi->flags);

	if (fd < 0) {
		fuse_reply_err(req, errno);
		return;
	}
	fi->fh = fd;
	fi->keep_cache = 1;
	fuse_reply_open(req, fi);
}

static void pt_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *fi)
{
	struct fuse_entry_param e;
	int err, fd = openat(node(parent)->fd, name, (fi->flags | O_CREAT | O_CLOEXEC) & ~(O_NOFOLLOW | O_DIRECT), mode);

	if (fd < 0) {
		fuse_reply_err(req, errno);
		return;
	}
	fi->fh = fd;
	fi->keep_cache = 1;
	if ((err = find(parent, name, &e)))
		fuse_reply_err(req, err);
	else
		fuse_reply_create(req, &e, fi);
}

static void pt_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	static __thread char *buffer;
	ssize_t n;

	if (spliced) {
		struct fuse_bufvec v = FUSE_BUFVEC_INIT(size);
		v.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
		v.buf[0].fd = fi->fh;
		v.buf[0].pos = off;
		fuse_reply_data(req, &v, 0);
		return;
	}
	if (!buffer && posix_memalign((void **)&buffer, 4096, 1 << 20)) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	n = pread(fi->fh, buffer, size, off);
	if (n < 0)
		fuse_reply_err(req, errno);
	else
		fuse_reply_buf(req, buffer, n);
}

static void pt_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t off, struct fuse_file_info *fi)
{
	ssize_t n = pwrite(fi->fh, data, size, off);

	if (n < 0)
		fuse_reply_err(req, errno);
	else
		fuse_reply_write(req, n);
}

static void pt_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi) { fuse_reply_err(req, 0); }
static void pt_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi) { close(fi->fh); fuse_reply_err(req, 0); }

static const struct fuse_lowlevel_ops operations = {
	.init = pt_init, .lookup = pt_lookup, .forget = pt_forget, .forget_multi = pt_forget_multi, .getattr = pt_getattr,
	.setattr = pt_setattr, .mkdir = pt_mkdir, .unlink = pt_unlink, .rmdir = pt_rmdir, .open = pt_open, .create = pt_create,
	.read = pt_read, .write = pt_write, .flush = pt_flush, .release = pt_release,
};

int main(int argc, char **argv)
{
	char *arguments[] = { argv[0], "-o", "fsname=passthrough-c,default_permissions" };
	struct fuse_args args = FUSE_ARGS_INIT(3, arguments);
	struct fuse_session *session;
	struct fuse_loop_config *config = fuse_loop_cfg_create();

	if (argc != 3) {
		fprintf(stderr, "usage: %s SOURCE MOUNTPOINT\n", argv[0]);
		return 2;
	}
	spliced = getenv("SPLICE") != NULL;
	root.fd = open(argv[1], O_PATH | O_CLOEXEC);
	if (root.fd < 0 || !(session = fuse_session_new(&args, &operations, sizeof operations, NULL)) ||
	    fuse_session_mount(session, argv[2])) {
		perror("passthrough");
		return 1;
	}
	puts("mounted");
	fflush(stdout);
	fuse_loop_cfg_set_clone_fd(config, 1);
	fuse_session_loop_mt(session, config);
	fuse_session_unmount(session);
	return 0;
}
