/* The way of the minidriver's functions into Go. */
#ifndef NCRYPT11_CARD_ENTER_H
#define NCRYPT11_CARD_ENTER_H

#pragma GCC visibility push(protected)
#include "../include/cardmod.h"
#pragma GCC visibility pop

#include "shim/shim.h"

#pragma GCC visibility push(hidden)

struct card_call {
	struct shim_call shim;
	const NCRYPT11_MINIDRIVER_LIST *copy; /* where the call goes, in a forked child that uses a private copy; else NULL */
};

/* As ncrypt_start, ncrypt_enter and ncrypt_leave are for NCrypt. */
DWORD card_start(struct card_call *call);
DWORD card_enter(struct card_call *call, DWORD outside);
void card_leave(struct card_call *call);

/* card_clear makes all functions of a CARD_DATA NULL, but for the caller's own. card_fill puts those in that there are. */
void card_clear(PCARD_DATA card);
void card_fill(PCARD_DATA card);

/* The interface "Vendor Minidriver". */
extern const NCRYPT11_MINIDRIVER_LIST ncrypt11_card_list;

#pragma GCC visibility pop

#endif
