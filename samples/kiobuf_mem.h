/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KIOBUF_MEM_H
#define _KIOBUF_MEM_H

struct kiobuf_dev;

struct kiobuf_dev *kiobuf_mem_dev(void);

#endif /* _KIOBUF_MEM_H */
