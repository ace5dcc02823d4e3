package meaning

import "github.com/ncrypt11/ncrypt11/token/ck"

// tokenRows are about slots, tokens, sessions, users and PINs.
var tokenRows = []row{
	{ck.CKR_SLOT_ID_INVALID, "there is no such slot", "numbers of slots are made from tokens' serial numbers: `ncrypt11 status` shows them; better name tokens by label or URI"},
	{ck.CKR_DEVICE_ERROR, "what keeps keys failed: a key or a token is damaged, is from another machine or an earlier boot, or the guard was lost",
		askLast + "; " + askDoctor},
	{ck.CKR_DEVICE_MEMORY, "there is no room: an object is too large, or one program or user has as many keys or sessions as may be", askLast},
	{ck.CKR_DEVICE_REMOVED, "the token was deleted or replaced while the program had it open, or there is no TPM", "restart the program; " + askDoctor},
	{ck.CKR_TOKEN_NOT_PRESENT, "there is no token in that slot any more", "`ncrypt11 status` shows the tokens that there are, and where they are looked for"},
	{ck.CKR_TOKEN_NOT_RECOGNIZED, "the token is not initialized, or its files are not those of a token", "`ncrypt11 init` makes a token; `ncrypt11 status` shows what is wrong with one"},
	{ck.CKR_TOKEN_NOT_INITIALIZED, "the token is not initialized", notHere},
	{ck.CKR_TOKEN_RESOURCE_EXCEEDED, "the token has not enough room or time for that", notHere},
	{ck.CKR_TOKEN_WRITE_PROTECTED, "this user cannot write the token's files: they are another user's, or on a file system that is read-only",
		"do it as the token's owner; `ncrypt11 status` shows the path"},
	{ck.CKR_SESSION_CLOSED, "the session was closed during the call", notHere},
	{ck.CKR_SESSION_COUNT, "the program has as many sessions open as it may have", "have it close those that it does not use"},
	{ck.CKR_SESSION_HANDLE_INVALID, "there is no such session: it was closed, or is of before a fork", "open another; a forked child has its own after C_Initialize"},
	{ck.CKR_SESSION_PARALLEL_NOT_SUPPORTED, "C_OpenSession was called without CKF_SERIAL_SESSION", fixProgram},
	{ck.CKR_SESSION_ASYNC_NOT_SUPPORTED, "calls in the background are not supported", "open the session without CKF_ASYNC_SESSION"},
	{ck.CKR_SESSION_READ_ONLY, "the session is read-only, and the call would change the token", "open the session with CKF_RW_SESSION"},
	{ck.CKR_SESSION_EXISTS, "the token cannot be initialized while a session with it is open", "stop the programs that use it"},
	{ck.CKR_SESSION_READ_ONLY_EXISTS, "the security officer cannot log in while read-only sessions are open (strict_so_login)", "close them, or take strict_so_login out of config.toml"},
	{ck.CKR_SESSION_READ_WRITE_SO_EXISTS, "no read-only session can be opened while the security officer is logged in (strict_so_login)", "log the security officer out first"},
	{ck.CKR_USER_ALREADY_LOGGED_IN, "this user is logged in already, in this program", ""},
	{ck.CKR_USER_NOT_LOGGED_IN, "the call needs a login; with CKA_ALWAYS_AUTHENTICATE, one for each use of the key", "log in with the user's PIN; security officers cannot see private objects"},
	{ck.CKR_USER_PIN_NOT_INITIALIZED, "the token has no user PIN yet", "the security officer sets it: ncrypt11 pin --unlock"},
	{ck.CKR_USER_TYPE_INVALID, "there is no such kind of user, or no operation for a context-specific login", "log in as CKU_USER or CKU_SO; CKU_CONTEXT_SPECIFIC after C_SignInit or the like"},
	{ck.CKR_USER_ANOTHER_ALREADY_LOGGED_IN, "the other user, the security officer or not, is logged in", "log out first"},
	{ck.CKR_USER_TOO_MANY_TYPES, "too many users are logged in", notHere},
	{ck.CKR_PIN_INCORRECT, "the PIN is wrong", "try the right one: too many wrong ones lock the PIN, and `ncrypt11 status` counts them"},
	{ck.CKR_PIN_INVALID, "the PIN has characters that it may not have", notHere},
	{ck.CKR_PIN_LEN_RANGE, "the PIN is too short or too long", "take 4 to 255 bytes"},
	{ck.CKR_PIN_EXPIRED, "the PIN has to be changed first", notHere},
	{ck.CKR_PIN_LOCKED, "the PIN is locked after too many wrong ones", "the user's is unlocked by the security officer: ncrypt11 pin --unlock; of the TPM, `ncrypt11 doctor` says how long to wait"},
	{ck.CKR_PIN_TOO_WEAK, "the PIN is too easy to guess", notHere},
}
