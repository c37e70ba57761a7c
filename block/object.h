/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KBLK_OBJECT_H
#define _KBLK_OBJECT_H

int kblk_object_init(void);
void kblk_object_exit(void);

#endif /* _KBLK_OBJECT_H */
