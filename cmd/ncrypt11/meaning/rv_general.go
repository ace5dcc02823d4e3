package meaning

import "github.com/ncrypt11/ncrypt11/token/ck"

// What is said of more than one code.
const (
	notHere    = "this module does not return it: see which other module the program uses, or which program or layer between them said so"
	askDoctor  = "`ncrypt11 doctor` says what is missing"
	askLast    = "`ncrypt11 explain last` shows which one, if that was this user's last failure"
	fixProgram = "this is a defect of the program, or of the layer between it and the module: NCRYPT11_TRACE shows its calls"
	oneMore    = "the program has to make a call that it left out: NCRYPT11_TRACE shows those that it made"
	tryAgain   = "try again in a moment; if it stays so, " + askLast
)

// generalRows are what any function may return, and what begins and ends the use of the module (sections 5.1.1 to 5.1.5 of PKCS #11).
var generalRows = []row{
	{ck.CKR_OK, "it worked", ""},
	{ck.CKR_CANCEL, "an application's callback cancelled the call", notHere},
	{ck.CKR_HOST_MEMORY, "the program has no memory, threads or descriptors left for it, or a template was larger than any that makes sense",
		"look at the limits of the program (ulimit, LimitAS=, LimitNPROC=, LimitNOFILE=)"},
	{ck.CKR_GENERAL_ERROR, "something failed that no other code describes: a setting that cannot be read, randomness that there is not, or a defect of the module",
		"look at `ncrypt11 status`, which reads the same settings; of a defect, NCRYPT11_TRACE=FILE writes down the place"},
	{ck.CKR_FUNCTION_FAILED, "it could not be done this time; nothing has changed", tryAgain},
	{ck.CKR_ARGUMENTS_BAD, "a pointer is NULL that must not be, or a length is impossible", fixProgram},
	{ck.CKR_NO_EVENT, "no slot has changed: slots of this module never do", ""},
	{ck.CKR_NEED_TO_CREATE_THREADS, "the module may not make threads and cannot do without", notHere},
	{ck.CKR_CANT_LOCK, "the program gave locks of its own, and did not allow the system's; or it may not make the threads that the module needs",
		"have the program set CKF_OS_LOCKING_OK at C_Initialize; look at its limit of threads (ulimit -u, TasksMax=)"},
	{ck.CKR_FUNCTION_CANCELED, "the call was cancelled", notHere},
	{ck.CKR_FUNCTION_NOT_PARALLEL, "there are no calls that run in parallel: C_GetFunctionStatus and C_CancelFunction always say so", ""},
	{ck.CKR_FUNCTION_NOT_SUPPORTED, "the module does not have that function, or not for this mechanism or key",
		"the program has to do it otherwise: messages in one part where the mechanism has no others"},
	{ck.CKR_CRYPTOKI_NOT_INITIALIZED, "the program has not called C_Initialize, or has called C_Finalize since; a forked child has to call it anew", oneMore},
	{ck.CKR_CRYPTOKI_ALREADY_INITIALIZED, "another part of the program has initialized the module before", ""},
	{ck.CKR_MUTEX_BAD, "a lock of the program's is none", notHere},
	{ck.CKR_MUTEX_NOT_LOCKED, "a lock of the program's was not locked", notHere},
	{ck.CKR_BUFFER_TOO_SMALL, "the buffer is too small; its length was set to what is needed, and the operation goes on", "call again with a buffer of that length"},
	{ck.CKR_FUNCTION_REJECTED, "the call asks for protection that there is not: isolated keys (VBS), keys that die with the boot, an access list",
		askDoctor + "; or make the token with --policy vbs-preferred or software"},
	{ck.CKR_LIBRARY_LOAD_FAILED, "a library that the module needs could not be loaded", notHere},
	{ck.CKR_FIPS_SELF_TEST_FAILED, "a self-test failed", notHere},
	{ck.CKR_VENDOR_DEFINED, "the code is of the module's maker; this is where such codes begin", notHere},
	{ck.CKR_PENDING, "the call goes on in the background", notHere},
	{ck.CKR_NCRYPT_VBS_UNAVAILABLE, "isolated keys were required, and nothing isolates them here; programs that know only PKCS #11 get CKR_FUNCTION_REJECTED", askDoctor},
	{ck.CKR_NCRYPT_CANNOT_DECRYPT_KEY, "the isolated key cannot be opened: it is from another machine or another boot, or the TPM was cleared; programs that know only PKCS #11 get CKR_DEVICE_ERROR",
		"import the key anew, or make another one"},
	{ck.CKR_NCRYPT_EXISTS, "there is a key of that name already; programs that know only PKCS #11 get CKR_TEMPLATE_INCONSISTENT",
		"take another name, or replace the key: CKA_NCRYPT_OVERWRITE TRUE"},
	{ck.CKR_NCRYPT_BAD_KEY_STATE, "the key is not final yet, or is already; programs that know only PKCS #11 get CKR_KEY_FUNCTION_NOT_PERMITTED", "finalize the key before it is used, and set its properties before that"},
}
