/* See main.c. */
#ifndef DRIVER_H
#define DRIVER_H

#include "../../../include/cardmod.h"
#include "../../../p11.h"

extern const NCRYPT11_MINIDRIVER_LIST *md;
extern CARD_DATA card;
extern const CK_FUNCTION_LIST_3_2 *p11;

/* The commands. */
void acquire(char **argument);
void delete_context(char **argument);
void authenticate(char **argument);
void create(char **argument);
void delete_container(char **argument);
void deauthenticate(char **argument);
void info(char **argument);
void get_property(char **argument);
void set_property(char **argument);
void algorithm_property(char **argument);
void md_import(char **argument);
void import_session_key(char **argument);
void shared_key(char **argument);
void set_key_property(char **argument);
void get_key_property(char **argument);
void encrypt(char **argument);
void process(char **argument);
void destroy_key(char **argument);
void read_file(char **argument);
void nulls(char **argument);
void lengths(char **argument);
void outside(char **argument);
void table(char **argument);
void threads(char **argument);
void in_child(char **argument);
void sign(char **argument);
void finalize(char **argument);

/* What they share. */
struct bytes {
	BYTE *data; /* at the end of a page that nothing may be read behind */
	DWORD length;
};
struct bytes bytes_of(const char *hexadecimal);
BYTE *room_of(DWORD length);
WCHAR *wide(const char *text);
DWORD number(const char *text);
void answer(DWORD status, const void *data, DWORD length);

#endif
