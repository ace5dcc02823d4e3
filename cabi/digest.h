/*
 * Digests in one crossing.
 *
 * C_DigestInit for a plain hash needs nothing of Go but to know that the session
 * is there and has no digest under way, and entering Go for that takes longer
 * than the digest of a short message. So Go keeps a board that C can read: one
 * word for each session. C_DigestInit notes the mechanism on it; C_Digest takes
 * the note down and has Go do all at once. Whatever else concerns the session's
 * digest operation makes the note a real operation first (digest_settle).
 *
 * A word of the board is
 *	0            no such session, or its digest operation is Go's
 *	the handle   the session is open and has no digest operation
 *	  with NOTED C_DigestInit was answered; the mechanism is in the bits below
 */
#ifndef NCRYPT11_DIGEST_H
#define NCRYPT11_DIGEST_H

#pragma GCC visibility push(protected)
#include "../p11.h"
#pragma GCC visibility pop

#pragma GCC visibility push(hidden)

/* The board, for digest.go. */
void *digest_board(void);

/* digest_settle turns a note into the operation that it stands for. */
void digest_settle(CK_SESSION_HANDLE session);

#pragma GCC visibility pop

#endif
