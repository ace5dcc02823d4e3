package nte

// The status codes of smart-card minidrivers (winerror.h).
const (
	SCARD_F_INTERNAL_ERROR         Status = 0x80100001
	SCARD_E_INVALID_HANDLE         Status = 0x80100003
	SCARD_E_INVALID_PARAMETER      Status = 0x80100004
	SCARD_E_NO_MEMORY              Status = 0x80100006
	SCARD_E_INSUFFICIENT_BUFFER    Status = 0x80100008
	SCARD_E_NO_SMARTCARD           Status = 0x8010000C
	SCARD_E_UNEXPECTED             Status = 0x8010001F
	SCARD_E_UNSUPPORTED_FEATURE    Status = 0x80100022
	SCARD_E_FILE_NOT_FOUND         Status = 0x80100024
	SCARD_E_WRITE_TOO_MANY         Status = 0x80100028
	SCARD_E_INVALID_CHV            Status = 0x8010002A
	SCARD_E_NO_KEY_CONTAINER       Status = 0x80100030
	SCARD_W_SECURITY_VIOLATION     Status = 0x8010006A
	SCARD_W_WRONG_CHV              Status = 0x8010006B
	SCARD_W_CHV_BLOCKED            Status = 0x8010006C
	SCARD_W_CARD_NOT_AUTHENTICATED Status = 0x8010006F
	ERROR_INSUFFICIENT_BUFFER      Status = 0x0000007A
	ERROR_REVISION_MISMATCH        Status = 0x0000051A
)

var scardRows = []row{
	{SCARD_F_INTERNAL_ERROR, "SCARD_F_INTERNAL_ERROR", "an internal error"},
	{SCARD_E_INVALID_HANDLE, "SCARD_E_INVALID_HANDLE", "the handle is not valid"},
	{SCARD_E_INVALID_PARAMETER, "SCARD_E_INVALID_PARAMETER", "a parameter is not valid"},
	{SCARD_E_NO_MEMORY, "SCARD_E_NO_MEMORY", "there is not enough memory"},
	{SCARD_E_INSUFFICIENT_BUFFER, "SCARD_E_INSUFFICIENT_BUFFER", "the buffer is too small"},
	{SCARD_E_NO_SMARTCARD, "SCARD_E_NO_SMARTCARD", "there is no card"},
	{SCARD_E_UNEXPECTED, "SCARD_E_UNEXPECTED", "something unexpected happened"},
	{SCARD_E_UNSUPPORTED_FEATURE, "SCARD_E_UNSUPPORTED_FEATURE", "the card does not support this, or there is no card"},
	{SCARD_E_FILE_NOT_FOUND, "SCARD_E_FILE_NOT_FOUND", "there is no such file on the card"},
	{SCARD_E_WRITE_TOO_MANY, "SCARD_E_WRITE_TOO_MANY", "the card is full"},
	{SCARD_E_INVALID_CHV, "SCARD_E_INVALID_CHV", "the PIN is not one that the card takes"},
	{SCARD_E_NO_KEY_CONTAINER, "SCARD_E_NO_KEY_CONTAINER", "there is no such container"},
	{SCARD_W_SECURITY_VIOLATION, "SCARD_W_SECURITY_VIOLATION", "the caller may not do that"},
	{SCARD_W_WRONG_CHV, "SCARD_W_WRONG_CHV", "the PIN is wrong"},
	{SCARD_W_CHV_BLOCKED, "SCARD_W_CHV_BLOCKED", "the PIN is blocked"},
	{SCARD_W_CARD_NOT_AUTHENTICATED, "SCARD_W_CARD_NOT_AUTHENTICATED", "nobody is logged in to the card"},
	{ERROR_INSUFFICIENT_BUFFER, "ERROR_INSUFFICIENT_BUFFER", "the buffer is too small"},
	{ERROR_REVISION_MISMATCH, "ERROR_REVISION_MISMATCH", "the version is not known"},
}
