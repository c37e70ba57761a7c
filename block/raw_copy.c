// SPDX-License-Identifier: GPL-2.0
/*
 * Raw requests that are no whole blocks of the device, or whose memory it cannot use:
 * by way of pages of the kernel's, piece by piece, the caller waiting for each.
 *
 * A block of which only a part is written is read first. One such write at a time is
 * under way on a device, so none undoes what another has written; against a write
 * from elsewhere to the same block nothing guards.
 */
#include <linux/highmem.h>
#include <linux/module.h>
#include <linux/sizes.h>

#include "raw.h"

#define KRAW_COPY_MAX SZ_1M

/* What is asked of one piece, and the blocks that hold it. */
struct kraw_piece {
	struct kraw_file	*file;
	u64			pos;
	size_t			length;
	u64			from;
	u64			to;
	u32			flags;
};

static void kraw_cut_piece(struct kraw_piece *piece, size_t length)
{
	unsigned int block = kraw_block_size(piece->file);

	piece->from = round_down(piece->pos, block);
	piece->length = min_t(u64, length,
			      piece->from + KRAW_COPY_MAX - piece->pos);
	piece->to = round_up(piece->pos + piece->length, block);
}

/* A request over pages of its own. */
static struct kraw_req *kraw_req_pages(struct kraw_file *file,
				       enum kiobuf_op op, u64 pos, u64 length)
{
	struct kraw_req *req = kraw_req_new(file, op, pos, length);
	u32 nr = DIV_ROUND_UP(length, PAGE_SIZE);

	if (!req)
		return NULL;
	req->pages = kiobuf_vec_alloc(nr, GFP_KERNEL);
	while (req->pages && req->pages->nr < nr) {
		struct page *page = alloc_page(GFP_KERNEL);

		if (!page)
			break;
		kiobuf_vec_add(req->pages, page, 0,
			       min_t(u64, length - req->pages->length,
				     PAGE_SIZE));
	}
	if (!req->pages || req->pages->nr < nr) {
		kraw_req_drop(req);
		return NULL;
	}
	req->kb.vec = req->pages;
	return req;
}

/* Between the pages, from @offset on, and the caller's memory. Returns bytes. */
static size_t kraw_copy_pages(struct kraw_req *req, u64 offset, size_t length,
			      struct iov_iter *iter, bool in)
{
	size_t done = 0;

	while (done < length) {
		struct page *page = req->pages->frags[offset >> PAGE_SHIFT].bv_page;
		size_t at = offset_in_page(offset);
		size_t bytes = min_t(size_t, length - done, PAGE_SIZE - at);
		void *data = page_address(page) + at;
		/* Not the page itself: a pipe would take it for one of a file. */
		size_t moved = in ? copy_from_iter(data, bytes, iter) :
				    copy_to_iter(data, bytes, iter);

		done += moved;
		offset += moved;
		if (moved < bytes)
			break;
	}
	return done;
}

/* How much of the piece is good, of the blocks that hold it; or an errno. */
static ssize_t kraw_piece_result(const struct kraw_piece *piece,
				 const struct kraw_req *req)
{
	ssize_t ret = kraw_result(req);
	ssize_t head = piece->pos - piece->from;

	if (ret < 0)
		return ret;
	if (ret <= head)
		return req->kb.error;
	return min_t(ssize_t, ret - head, piece->length);
}

/* ---- read ---- */

static ssize_t kraw_read_piece(struct kraw_piece *piece, struct iov_iter *iter)
{
	struct kraw_req *req = kraw_req_pages(piece->file, KIOBUF_READ,
					      piece->from,
					      piece->to - piece->from);
	ssize_t ret;

	if (!req)
		return -ENOMEM;
	ret = kraw_req_run(req);
	if (ret)
		return ret;
	ret = kraw_piece_result(piece, req);
	if (ret > 0)
		ret = kraw_copy_pages(req, piece->pos - piece->from, ret, iter,
				      false) ?: -EFAULT;
	kraw_req_drop(req);
	return ret;
}

/* ---- write ---- */

/* Bytes @from to @to of the device, which are in the block of @edge. */
static void kraw_keep(struct kraw_req *req, const struct kraw_req *edge,
		      u64 from, u64 to)
{
	u64 offset = from - req->kb.pos;

	if (from < to)
		memcpy_page(req->pages->frags[offset >> PAGE_SHIFT].bv_page,
			    offset_in_page(offset),
			    edge->pages->frags[0].bv_page, from - edge->pos,
			    to - from);
}

/* Puts what the block at @pos has beside the piece beside the piece. */
static int kraw_read_edge(const struct kraw_piece *piece, struct kraw_req *req,
			  u64 pos)
{
	unsigned int block = kraw_block_size(req->file);
	struct kraw_req *edge = kraw_req_pages(req->file, KIOBUF_READ, pos,
					       block);
	ssize_t ret;

	if (!edge)
		return -ENOMEM;
	ret = kraw_req_run(edge);
	if (ret)
		return ret;
	ret = kraw_result(edge);
	if (ret == block) {
		kraw_keep(req, edge, pos, min(piece->pos, pos + block));
		kraw_keep(req, edge, max(piece->pos + piece->length, pos),
			  pos + block);
	} else if (ret >= 0) {
		ret = edge->kb.error ?: -EIO;
	}
	kraw_req_drop(edge);
	return ret < 0 ? ret : 0;
}

static bool kraw_has_edges(const struct kraw_piece *piece)
{
	return piece->pos > piece->from ||
	       piece->pos + piece->length < piece->to;
}

static int kraw_read_edges(const struct kraw_piece *piece, struct kraw_req *req)
{
	u64 last = piece->to - kraw_block_size(piece->file);
	bool tail = piece->pos + piece->length < piece->to;
	bool head = piece->pos > piece->from;
	int ret = 0;

	if (head || (tail && last == piece->from))
		ret = kraw_read_edge(piece, req, piece->from);
	if (!ret && tail && last != piece->from)
		ret = kraw_read_edge(piece, req, last);
	return ret;
}

static ssize_t kraw_write_pages(struct kraw_piece *piece, struct kraw_req *req)
{
	ssize_t ret = kraw_req_run(req);

	if (ret)
		return ret;
	ret = kraw_piece_result(piece, req);
	kraw_req_drop(req);
	return ret;
}

static ssize_t kraw_write_part(struct kraw_piece *piece, struct kraw_req *req)
{
	struct mutex *edges = &piece->file->raw->edges;
	ssize_t ret;

	if (mutex_lock_killable(edges)) {
		kraw_req_drop(req);
		return -EINTR;
	}
	/* Who changes another part of a block next must find what this one wrote. */
	req->stay = true;
	ret = kraw_read_edges(piece, req);
	if (ret)
		kraw_req_drop(req);
	else
		ret = kraw_write_pages(piece, req);
	mutex_unlock(edges);
	return ret;
}

static ssize_t kraw_write_piece(struct kraw_piece *piece, struct iov_iter *iter)
{
	struct kraw_req *req = kraw_req_pages(piece->file, KIOBUF_WRITE,
					      piece->from,
					      piece->to - piece->from);

	if (!req)
		return -ENOMEM;
	req->kb.flags |= piece->flags;
	/* Before the lock: who lends the memory may keep a fault waiting for ever. */
	if (kraw_copy_pages(req, piece->pos - piece->from, piece->length, iter,
			    true) < piece->length) {
		kraw_req_drop(req);
		return -EFAULT;
	}
	return kraw_has_edges(piece) ? kraw_write_part(piece, req) :
				       kraw_write_pages(piece, req);
}

/**
 * kraw_copy() - read or write by way of the kernel's own pages
 * @file: the file
 * @iter: the memory, of any kind
 * @pos: on the device
 * @write: a write
 * @flags: KIOBUF_FUA, KIOBUF_NOWAIT
 *
 * Context: process, sleeps.
 * Return: bytes up to the first that failed, or its errno if there are none.
 */
ssize_t kraw_copy(struct kraw_file *file, struct iov_iter *iter, u64 pos,
		  bool write, u32 flags)
{
	struct kraw_piece piece = { .file = file, .flags = flags };
	ssize_t done = 0, ret = 0;

	if (flags & KIOBUF_NOWAIT)
		return -EAGAIN;
	while (iov_iter_count(iter)) {
		piece.pos = pos + done;
		kraw_cut_piece(&piece, iov_iter_count(iter));
		ret = write ? kraw_write_piece(&piece, iter) :
			      kraw_read_piece(&piece, iter);
		if (ret > 0)
			done += ret;
		if (ret < 0 || ret < piece.length)
			break;
	}
	return done ?: ret;
}
